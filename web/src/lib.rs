//! The console: an administrator's pages, compiled to WebAssembly and served by the server.
//!
//! ```text
//! pages ──▶ components   what is drawn; no domain word in a component
//!   │ └───▶ model        what a page decides; plain Rust, tested natively
//!   └─────▶ query, api   what the server knows; typed by `wire`
//! ```
//!
//! State lives in the first of these that fits: the URL, the query cache, a
//! signal of the page, a context (session, toasts, clock).
#![expect(
    clippy::needless_pass_by_value,
    reason = "components own their properties"
)]
#![expect(
    unreachable_pub,
    reason = "the component macro writes public items into private modules"
)]

mod api;
mod app;
mod clock;
mod components;
mod live;
mod location;
mod model;
mod pages;
mod query;
mod route;
mod session;
mod submit;
mod theme;
mod unsaved;

pub use app::mount;
