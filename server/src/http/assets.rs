//! The console's files, embedded: compressed as the browser takes them, checked
//! by their digest, and the start page for every route of the console.

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use rust_embed::{EmbeddedFile, RustEmbed};
use wire::api::problem::Code;

use super::problem::Refusal;
use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Dist;

const START_PAGE: &str = "index.html";

/// Paths that are never a page of the console.
const NOT_PAGES: [&str; 6] = ["api/", "assets/", "dl/", "machine/", "derp", "problems/"];

/// Answers what no route takes: a file, the start page, or a problem.
pub fn serve(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let file = if path.is_empty() { START_PAGE } else { path };
    let found =
        asset(file, headers).or_else(|| is_page(path).then(|| asset(START_PAGE, headers))?);
    let Some(found) = found else {
        return Error::NotFound.into_response();
    };
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Refusal::new(
            Code::MethodNotAllowed,
            "Files of the console can only be read.",
        )
        .into_response();
    }
    found.into_response(headers)
}

fn is_page(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    !last.contains('.') && !NOT_PAGES.iter().any(|p| path.starts_with(p))
}

struct Asset {
    name: String,
    encoding: Option<&'static str>,
    file: EmbeddedFile,
}

fn asset(name: &str, headers: &HeaderMap) -> Option<Asset> {
    if matches!(name.rsplit('.').next(), Some("br" | "gz")) {
        return None;
    }
    for (encoding, suffix) in [("br", "br"), ("gzip", "gz")] {
        if accepts(headers, encoding)
            && let Some(file) = Dist::get(&format!("{name}.{suffix}"))
        {
            return Some(Asset {
                name: name.to_owned(),
                encoding: Some(encoding),
                file,
            });
        }
    }
    Some(Asset {
        name: name.to_owned(),
        encoding: None,
        file: Dist::get(name)?,
    })
}

fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|offer| {
            let mut parts = offer.split(';').map(str::trim);
            parts.next() == Some(encoding)
                && !parts.any(|q| matches!(q, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

impl Asset {
    fn into_response(self, headers: &HeaderMap) -> Response {
        let etag = format!("\"{}\"", hex::encode(self.file.metadata.sha256_hash()));
        let known = headers
            .get(header::IF_NONE_MATCH)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag));
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Response::new(Body::from(self.file.data.into_owned()))
        };
        let out = response.headers_mut();
        out.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(media_type(&self.name)),
        );
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        let cache = if has_digest(&self.name) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            out.insert(header::ETAG, etag);
        }
        if let Some(encoding) = self.encoding {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

/// `name-0123abcd.js`: the content can never change under this name.
fn has_digest(name: &str) -> bool {
    let stem = name.rsplit('/').next().unwrap_or_default();
    stem.split(['.', '-', '_'])
        .any(|part| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
        headers
    }

    fn get(path: &str) -> Response {
        serve(&Method::GET, &path.parse().unwrap(), &HeaderMap::new())
    }

    #[test]
    fn pages_of_the_console_get_the_start_page() {
        for page in ["/", "/machines", "/link", "/setup", "/t/acme/machines/7"] {
            let response = get(page);
            assert_eq!(response.status(), StatusCode::OK, "{page}");
            let kind = &response.headers()[header::CONTENT_TYPE];
            assert_eq!(kind, "text/html; charset=utf-8");
        }
    }

    #[test]
    fn files_that_are_not_there_are_not_pages() {
        for path in [
            "/assets/absent.js",
            "/api/v1/absent",
            "/absent.png",
            "/../../etc/passwd.txt",
        ] {
            assert_eq!(get(path).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn a_known_digest_is_not_sent_again() {
        let first = get("/");
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        let second = serve(&Method::GET, &"/".parse().unwrap(), &headers);
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn encodings_are_taken_as_offered() {
        assert!(accepts(&accepting("gzip, deflate, br"), "br"));
        assert!(!accepts(&accepting("gzip;q=1, br;q=0"), "br"));
        assert!(!accepts(&accepting("brotli"), "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    #[test]
    fn only_names_with_a_digest_are_for_ever() {
        assert!(has_digest("assets/console-0a1b2c3d4e.js"));
        assert!(has_digest("assets/console.0a1b2c3d.wasm"));
        assert!(!has_digest("index.html"));
        assert!(!has_digest("assets/editor.js"));
    }
}
