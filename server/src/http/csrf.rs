//! Whether a request that may change something comes from our own console.
//!
//! A browser says where a request comes from in `Sec-Fetch-Site`; an old one in
//! `Origin`. Neither can be set by a page, and the console's own header cannot
//! be sent across origins without a preflight that we never answer.

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, Method, header};
use wire::api::problem::Code;

use super::problem::Refusal;
use axum::response::IntoResponse as _;

/// The console's own header.
pub const CONSOLE_HEADER: &str = "x-warren-console";

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing.
    Ours,
    /// It comes from another site, or does not say from where.
    Foreign,
    /// It has a body that is not JSON.
    NotJson,
}

/// Judges an unsafe request by its headers. `host` is what the browser asked for.
pub fn judge(method: &Method, headers: &HeaderMap, host: Option<&str>) -> Judgement {
    if method.is_safe() {
        return Judgement::Ours;
    }
    if !same_origin(headers, host) || !headers.contains_key(CONSOLE_HEADER) {
        return Judgement::Foreign;
    }
    let empty = headers
        .get(header::CONTENT_LENGTH)
        .is_none_or(|v| v.as_bytes() == b"0")
        && !headers.contains_key(header::TRANSFER_ENCODING)
        && !headers.contains_key(header::CONTENT_TYPE);
    if empty || is_json(headers) {
        Judgement::Ours
    } else {
        Judgement::NotJson
    }
}

/// Whether a request for live events comes from our own page (they carry data,
/// and their `GET` is not covered by [`judge`]).
pub fn is_own_page(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_none_or(|site| site == "same-origin")
}

fn same_origin(headers: &HeaderMap, host: Option<&str>) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = headers.get(header::ORIGIN).and_then(|v| v.to_str().ok()) else {
        return false;
    };
    let authority = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    authority.is_some() && authority == host
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
    else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Refuses what [`judge`] finds foreign.
pub async fn guard(request: Request, next: Next) -> Response<Body> {
    let host = request
        .uri()
        .authority()
        .map(|a| a.as_str().to_owned())
        .or_else(|| {
            let host = request.headers().get(header::HOST)?;
            host.to_str().ok().map(str::to_owned)
        });
    match judge(request.method(), request.headers(), host.as_deref()) {
        Judgement::Ours => next.run(request).await,
        Judgement::Foreign => Refusal::new(
            Code::CrossSite,
            "Changes are accepted from this server's own console only.",
        )
        .into_response(),
        Judgement::NotJson => Refusal::new(
            Code::UnsupportedMediaType,
            "Send the body as `application/json`.",
        )
        .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(method: &Method, given: &[(&'static str, &str)]) -> Judgement {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.insert(*name, value.parse().unwrap());
        }
        judge(method, &headers, Some("warren.example:8443"))
    }

    const OURS: (&str, &str) = (CONSOLE_HEADER, "1");
    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");
    const SITE: (&str, &str) = ("sec-fetch-site", "same-origin");

    #[test]
    fn our_console_passes() {
        assert_eq!(judged(&Method::POST, &[OURS, JSON, SITE]), Judgement::Ours);
        assert_eq!(judged(&Method::DELETE, &[OURS, SITE]), Judgement::Ours);
        assert_eq!(judged(&Method::GET, &[]), Judgement::Ours);
    }

    #[test]
    fn an_old_browser_is_known_by_its_origin() {
        let origin = ("origin", "https://warren.example:8443");
        assert_eq!(judged(&Method::PUT, &[OURS, JSON, origin]), Judgement::Ours);
        for foreign in [
            "https://warren.example",
            "https://warren.example:8443.evil.example",
            "null",
        ] {
            let given = [OURS, JSON, ("origin", foreign)];
            assert_eq!(judged(&Method::PUT, &given), Judgement::Foreign);
        }
    }

    #[test]
    fn other_sites_and_silence_are_foreign() {
        for site in ["cross-site", "same-site", "none"] {
            let given = [OURS, JSON, ("sec-fetch-site", site)];
            assert_eq!(judged(&Method::POST, &given), Judgement::Foreign);
        }
        assert_eq!(judged(&Method::POST, &[OURS, JSON]), Judgement::Foreign);
        assert_eq!(judged(&Method::POST, &[JSON, SITE]), Judgement::Foreign);
        let origin_cannot_heal = [
            OURS,
            JSON,
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://warren.example:8443"),
        ];
        assert_eq!(
            judged(&Method::POST, &origin_cannot_heal),
            Judgement::Foreign
        );
    }

    #[test]
    fn a_form_is_not_json() {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=application/json",
        ] {
            let given = [OURS, SITE, ("content-type", kind), ("content-length", "3")];
            assert_eq!(judged(&Method::POST, &given), Judgement::NotJson);
        }
        let untyped = [OURS, SITE, ("content-length", "3")];
        assert_eq!(judged(&Method::POST, &untyped), Judgement::NotJson);
        let chunked = [OURS, SITE, ("transfer-encoding", "chunked")];
        assert_eq!(judged(&Method::POST, &chunked), Judgement::NotJson);
    }

    #[test]
    fn events_go_to_our_own_pages() {
        let mut headers = HeaderMap::new();
        assert!(is_own_page(&headers));
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        assert!(is_own_page(&headers));
        headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
        assert!(!is_own_page(&headers));
    }
}
