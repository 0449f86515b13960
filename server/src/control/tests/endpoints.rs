//! What is answered where.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};

use super::{Node, World};

#[tokio::test]
async fn every_endpoint_answers_as_clients_bear_it() {
    let world = World::start().await;
    let connection = Node::new("asks").connect(&world).await;
    for (method, path, status) in [
        (Method::POST, "/machine/set-dns", 501),
        (Method::POST, "/machine/update-health", 204),
        (Method::PATCH, "/machine/set-device-attr", 501),
        (Method::POST, "/machine/audit-log", 501),
        (Method::POST, "/machine/id-token", 501),
        (Method::POST, "/machine/feature/query", 200),
        (Method::GET, "/machine/whoami", 200),
        (Method::POST, "/machine/webclient/init/1", 501),
        (Method::GET, "/machine/tka/bootstrap", 501),
        (Method::GET, "/machine/tka/sync/send", 501),
        (Method::GET, "/machine/ssh/action/1/to/2", 501),
        (Method::HEAD, "/machine/ping/7", 404),
        (Method::POST, "/machine/c2n/7", 404),
        (Method::GET, "/machine/map", 405),
        (Method::GET, "/key", 404),
    ] {
        // GETs come with a body, too.
        let answer = connection.ask(method.clone(), path, "{}").await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
    }
    let answer = connection
        .ask(Method::POST, "/machine/feature/query", "{}")
        .await;
    assert!(answer.text().contains("\"Complete\":false"));
}

#[tokio::test]
async fn a_request_is_found_by_its_path_whatever_its_authority() {
    let world = World::start().await;
    let connection = Node::new("asks").connect(&world).await;
    for authority in ["unused", "warren.example:8443", "[::1]:9"] {
        let request = Request::get(format!("https://{authority}/machine/whoami"))
            .body(Full::new(Bytes::new()))
            .unwrap();
        let response = connection.send(request).await;
        assert_eq!(response.status(), StatusCode::OK, "{authority}");
    }
}

#[tokio::test]
async fn bodies_are_bounded_plain_and_json() {
    let world = World::start().await;
    let connection = Node::new("asks").connect(&world).await;
    let large = vec![b' '; 1024 * 1024 + 1];
    let request = Request::post("https://unused/machine/register")
        .body(Full::new(Bytes::from(large)))
        .unwrap();
    let response = connection.send(request).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let text = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&text).contains("larger than 1024 KiB"));

    let packed = Request::post("https://unused/machine/map")
        .header("content-encoding", "zstd")
        .body(Full::new(Bytes::from_static(b"(\xb5/\xfd")))
        .unwrap();
    let status = connection.send(packed).await.status();
    assert_eq!(status, StatusCode::BAD_REQUEST);

    for broken in ["", "{", "7", "{\"NodeKey\":\"nodekey:zz\"}"] {
        let answer = connection
            .ask(Method::POST, "/machine/register", broken)
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{broken}");
    }
    // The connection has survived all of it.
    let answer = connection.ask(Method::GET, "/machine/whoami", "").await;
    assert_eq!(answer.status, StatusCode::OK);
}
