//! Asking over the socket, and without a server.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};
use wire::api::{Role, problem::Code};

use super::*;
use crate::{
    app::App,
    clock::SystemClock,
    config::{Config, load_from},
};

fn config(dir: &Path) -> Config {
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).unwrap();
    let env = [(
        "WARREN_DATA_DIR".to_owned(),
        dir.to_str().unwrap().to_owned(),
    )];
    load_from("", env).unwrap()
}

async fn serving(config: &Config) -> std::sync::Arc<App> {
    let clock = std::sync::Arc::new(SystemClock);
    let app = App::build(config.clone(), clock).await.unwrap();
    let socket = Socket::bind(&app).unwrap();
    app.tasks.spawn(socket.serve(std::sync::Arc::clone(&app)));
    app
}

async fn stop(app: std::sync::Arc<App>) {
    app.stop.cancel();
    app.relay.as_ref().unwrap().stop().await;
    app.tasks.close();
    app.tasks.wait().await;
}

fn make_tenant(slug: &str) -> Request {
    Request::Tenant(tenant::Request::Create {
        slug: slug.into(),
        name: slug.into(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_at_the_shell_is_audited_under_the_login() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let app = serving(&config).await;
    let mode = std::fs::metadata(config.admin_socket())
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);

    let made = ask(&config, &make_tenant("acme")).await.unwrap().unwrap();
    let Answer::Tenant(acme) = made else {
        panic!("{made:?}")
    };
    let owner = Request::User(user::Request::Create {
        tenant: None,
        email: "ada@example.com".into(),
        name: String::new(),
        role: Role::Owner,
    });
    ask(&config, &owner).await.unwrap().unwrap();
    let rows = app.db.tenant(acme.id).await.unwrap();
    let audit = rows.audit_page(None).await.unwrap().items;
    assert_eq!(audit[0].event, "user.created");
    assert_eq!(audit[0].actor, actor(crate::lifecycle::own_uid()));
    drop(rows);
    stop(app).await;
    assert!(!config.admin_socket().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_database_is_opened_under_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    ask(&config, &make_tenant("acme")).await.unwrap().unwrap();
    let list = Request::Tenant(tenant::Request::List);
    let Ok(Answer::Tenants(all)) = ask(&config, &list).await.unwrap() else {
        panic!("no list")
    };
    assert_eq!(all[0].slug, "acme");
    let app = serving(&config).await;
    let taken = ask(&config, &make_tenant("acme")).await.unwrap();
    assert_eq!(taken.unwrap_err().code, Code::TenantSlugTaken);
    stop(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_set_at_the_shell_is_in_force_or_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let app = serving(&config).await;
    ask(&config, &make_tenant("acme")).await.unwrap().unwrap();
    let set = |document: &str| {
        Request::Policy(policy::Request::Set {
            tenant: Some("acme".into()),
            document: document.into(),
            reason: "why".into(),
        })
    };
    let saved = ask(&config, &set("{\"acls\": []}")).await.unwrap().unwrap();
    assert!(matches!(saved, Answer::Policy(p) if p.revision.number == 2));
    let refused = ask(&config, &set("{ nonsense")).await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::PolicyInvalid);
    assert!(!refused.diagnostics.is_empty());
    let get = Request::Policy(policy::Request::Get { tenant: None });
    let now = ask(&config, &get).await.unwrap().unwrap();
    assert!(matches!(now, Answer::Policy(p) if p.document == "{\"acls\": []}"));
    stop(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_on_the_socket_is_answered_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let app = serving(&config).await;
    for bytes in [&b"nonsense"[..], b"{\"tenant\":\"destroy\"}", b""] {
        let mut stream = UnixStream::connect(config.admin_socket()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("another release"), "{answer}");
    }
    stop(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_mean_nothing_say_where_to_look() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let app = serving(&config).await;
    let list = |tenant: Option<&str>| {
        Request::Node(node::Request::List {
            tenant: tenant.map(Into::into),
        })
    };
    let says = |refused: Refused, word: &str| assert!(refused.detail.contains(word), "{refused}");
    says(
        ask(&config, &list(None)).await.unwrap().unwrap_err(),
        "no tenant yet",
    );
    for slug in ["acme", "globex"] {
        ask(&config, &make_tenant(slug)).await.unwrap().unwrap();
    }
    says(
        ask(&config, &list(None)).await.unwrap().unwrap_err(),
        "--tenant",
    );
    says(
        ask(&config, &list(Some("initech")))
            .await
            .unwrap()
            .unwrap_err(),
        "tenant list",
    );
    stop(app).await;
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(&{
        let inner = dir.path().join("data");
        std::fs::create_dir(&inner).unwrap();
        inner
    });
    std::fs::remove_dir(config.data_dir()).unwrap();
    let refusal = ask(&config, &make_tenant("acme")).await.unwrap_err();
    assert!(
        refusal.to_string().contains("no data directory"),
        "{refusal}"
    );
    assert!(!config.data_dir().exists());
}
