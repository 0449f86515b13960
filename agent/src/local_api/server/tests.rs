use tokio::io::AsyncReadExt as _;

use super::*;

/// A server that answers `status` with what it was asked, and holds every other call.
struct World {
    dir: tempfile::TempDir,
    held: mpsc::Receiver<Call>,
    _task: tokio_util::task::AbortOnDropHandle<()>,
}

impl World {
    fn new(owner: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Server::bind(&dir.path().join("s"), owner).unwrap();
        server.patience = Duration::from_millis(300);
        let (calls, held) = mpsc::channel(CONNECTIONS * 2);
        let task = tokio::spawn(server.run(calls));
        Self {
            dir,
            held,
            _task: tokio_util::task::AbortOnDropHandle::new(task),
        }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.dir.path().join("s"))
            .await
            .unwrap()
    }

    async fn ask(&self, line: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(line).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    }
}

fn us() -> u32 {
    crate::state::our_uid().unwrap()
}

#[tokio::test]
async fn a_call_is_answered_until_its_last_reply() {
    let mut world = World::new(us());
    let mut stream = world.connect().await;
    stream.write_all(b"{\"verb\":\"up\"}\n").await.unwrap();
    let call = world.held.recv().await.unwrap();
    call.replies.send(Reply::NeedsApproval).await.unwrap();
    let done = Reply::Done {
        message: String::new(),
    };
    call.replies.send(done).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].contains("needs_approval"));
    assert!(lines[1].contains("done"));
}

#[tokio::test]
async fn who_hangs_up_is_not_waited_for() {
    let mut world = World::new(us());
    let mut stream = world.connect().await;
    stream.write_all(b"{\"verb\":\"up\"}\n").await.unwrap();
    let call = world.held.recv().await.unwrap();
    drop(stream);
    timeout(PATIENCE, call.replies.closed()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_repeating_it() {
    let world = World::new(us());
    let said = world.ask(b"{\"verb\":\"up\",\"auth_key\":\"secret\n").await;
    assert!(
        said.contains("bad_request") && !said.contains("secret"),
        "{said}"
    );
    let said = world.ask(&vec![b'x'; MAX_REQUEST]).await;
    assert!(said.contains("bad_request"), "{said}");
}

#[tokio::test]
async fn a_request_that_does_not_arrive_is_given_up() {
    let world = World::new(us());
    let said = world.ask(b"{\"verb\":").await;
    assert!(said.contains("in time"), "{said}");
}

#[tokio::test]
async fn another_user_is_refused_every_verb() {
    if us() == 0 {
        // Root may do everything; the rule itself is judged below.
        return;
    }
    let world = World::new(us() + 1);
    assert!(
        world
            .ask(b"{\"verb\":\"status\"}\n")
            .await
            .contains("denied")
    );
}

#[test]
fn root_and_the_owner_may_speak_and_nobody_else() {
    for (peer, owner, may) in [
        (0, 0, true),
        (0, 1000, true),
        (1000, 1000, true),
        (1000, 0, false),
        (1001, 1000, false),
    ] {
        assert_eq!(may_speak(peer, owner), may, "{peer} of {owner}");
    }
}

#[tokio::test]
async fn the_socket_is_for_us_alone_and_there_is_one() {
    let world = World::new(us());
    let path = world.dir.path().join("s");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(
        Server::bind(&path, us()),
        Err(ListenError::InUse(_))
    ));
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced_and_a_file_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    drop(Server::bind(&path, us()).unwrap());
    assert!(!path.exists());
    fs::write(&path, "mine").unwrap();
    assert!(Server::bind(&path, us()).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[tokio::test]
async fn more_connections_than_the_limit_wait() {
    let mut world = World::new(us());
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = world.connect().await;
        stream.write_all(b"{\"verb\":\"up\"}\n").await.unwrap();
        held.push((stream, world.held.recv().await.unwrap()));
    }
    let mut late = world.connect().await;
    late.write_all(b"{\"verb\":\"status\"}\n").await.unwrap();
    assert!(
        timeout(Duration::from_millis(200), world.held.recv())
            .await
            .is_err()
    );
    drop(held.pop());
    let call = timeout(PATIENCE, world.held.recv()).await.unwrap().unwrap();
    assert!(matches!(call.request, Request::Status));
}
