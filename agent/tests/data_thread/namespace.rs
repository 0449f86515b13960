//! A network namespace that lives as long as its thread.
#![expect(unsafe_code, reason = "unshare is a C function")]

use std::{
    process::{Command, Output},
    sync::mpsc,
    thread,
};

type Work = Box<dyn FnOnce() + Send>;

/// A thread in a network namespace of its own. Sockets, TUNs, threads and
/// programs made on it are in the namespace, wherever they are used.
pub(crate) struct Namespace {
    work: mpsc::Sender<Work>,
    /// The thread's id, by which `ip` finds the namespace.
    pub(crate) task: String,
}

impl Namespace {
    /// `None`, and a loud line, when this process may not.
    pub(crate) fn new() -> Option<Self> {
        let (work, inbox) = mpsc::channel::<Work>();
        let (started, outcome) = mpsc::channel();
        thread::spawn(move || {
            // SAFETY: takes no pointers; it changes this thread alone.
            let unshared = unsafe { libc::unshare(libc::CLONE_NEWNET) };
            let task = std::fs::read_link("/proc/thread-self").unwrap();
            let task = task.file_name().unwrap().to_string_lossy().into_owned();
            let is_there = unshared == 0 && std::fs::metadata("/dev/net/tun").is_ok();
            started.send(is_there.then_some(task)).unwrap();
            for job in inbox {
                job();
            }
        });
        let Some(task) = outcome.recv().unwrap() else {
            eprintln!(
                "PASSED OVER: network namespaces and /dev/net/tun need root; \
                 run `sudo -E cargo test -p agent --test data_thread`"
            );
            return None;
        };
        let namespace = Self { work, task };
        namespace.sh("ip link set lo up");
        Some(namespace)
    }

    /// Runs something on the namespace's thread.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (reply, answer) = mpsc::channel();
        self.work
            .send(Box::new(move || {
                let _ = reply.send(job());
            }))
            .unwrap();
        answer.recv().expect("the job ends without a panic")
    }

    /// Runs a line of shell.
    pub(crate) fn try_sh(&self, line: &str) -> Output {
        let line = line.to_owned();
        self.run(move || Command::new("sh").args(["-ec", &line]).output().unwrap())
    }

    /// Runs a line of shell that must succeed; what it printed.
    pub(crate) fn sh(&self, line: &str) -> String {
        let output = self.try_sh(line);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "`{line}`: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }
}
