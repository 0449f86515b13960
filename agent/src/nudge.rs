//! Waits that heed a change of the network.

use std::{pin::pin, time::Duration};

use tokio::{sync::Notify, time::timeout};

/// What comes of `asked`. Once the network has changed it has no longer than
/// `check`: the way that it took may have gone with the old one. `None`:
/// nothing came of it in that time.
///
/// An answer may have been on its way before the change and prove nothing, so
/// `nudge` stays set: what is asked next is checked as well.
pub async fn heeding<T>(
    asked: impl Future<Output = T>,
    check: Duration,
    nudge: &Notify,
) -> Option<T> {
    let mut asked = pin!(asked);
    tokio::select! {
        answer = &mut asked => return Some(answer),
        () = nudge.notified() => {}
    }
    let answer = timeout(check, asked).await.ok()?;
    nudge.notify_one();
    Some(answer)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::{Instant, sleep};

    use super::*;

    const CHECK: Duration = Duration::from_secs(3);

    #[tokio::test(start_paused = true)]
    async fn a_change_of_the_network_shortens_a_wait_under_way() {
        let nudge = Notify::new();
        let begun = Instant::now();
        let (answer, ()) = tokio::join!(heeding(pending::<()>(), CHECK, &nudge), async {
            sleep(CHECK * 5).await;
            nudge.notify_one();
        });
        assert_eq!((answer, begun.elapsed()), (None, CHECK * 6));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_time_is_passed_on() {
        let nudge = Notify::new();
        nudge.notify_one();
        let slow = async {
            sleep(CHECK / 2).await;
            7
        };
        assert_eq!(heeding(slow, CHECK, &nudge).await, Some(7));
        timeout(Duration::ZERO, nudge.notified())
            .await
            .expect("what follows is checked");
        let unhurried = async {
            sleep(CHECK * 9).await;
            8
        };
        assert_eq!(heeding(unhurried, CHECK, &nudge).await, Some(8));
    }
}
