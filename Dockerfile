# Two images from one file: `docker build --target server .` and `--target agent`.

FROM rust:1.95-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends musl-tools \
 && rm -rf /var/lib/apt/lists/*
# The console's tools need Node 20; Debian 12 has an older one.
COPY --from=node:20-bookworm-slim /usr/local/bin/node /usr/local/bin/node
COPY --from=node:20-bookworm-slim /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
RUN rustup target add wasm32-unknown-unknown x86_64-unknown-linux-musl
WORKDIR /src
COPY . .
ENV CARGO_TARGET_DIR=/target
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/target \
    cargo xtask web --release \
 && cargo build --release --locked --package server \
 && cargo build --release --locked --package agent --target x86_64-unknown-linux-musl \
 && install -D -t /out /target/release/warren-server \
        /target/x86_64-unknown-linux-musl/release/warren

FROM debian:bookworm-slim AS server
RUN useradd --system --uid 10001 --home-dir /var/lib/warren-server --no-create-home warren \
 && install -d -o warren -g warren -m 0700 /var/lib/warren-server
COPY --from=build /out/warren-server /usr/bin/warren-server
COPY --from=build /out/warren /usr/share/warren/warren-linux-amd64
USER warren
ENV WARREN_DATA_DIR=/var/lib/warren-server
VOLUME /var/lib/warren-server
EXPOSE 443/tcp 3478/udp 3479/udp
CMD ["warren-server", "serve"]

FROM debian:bookworm-slim AS agent
COPY --from=build /out/warren /usr/bin/warren
VOLUME /var/lib/warren
CMD ["warren", "daemon"]
