//! The schedule of probes. The figures are those of Tailscale's clients, who are on the other end.

use std::time::Duration;

/// Pings on the path in use while there is traffic.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(3);
/// Traffic counts as a session this long after the last packet out.
pub(crate) const SESSION: Duration = Duration::from_secs(45);
/// A direct path is trusted this long after an answer: two heartbeats and a bit.
/// Past that packets go both ways until it answers again.
pub(crate) const TRUST: Duration = Duration::from_millis(6_500);
/// Unanswered pings after which packets no longer go to the address and through
/// the relay, but through the relay alone. Pings go on.
pub(crate) const GIVE_UP: u8 = 8;
/// Unasked pings to one address are at least this far apart.
pub(crate) const ADDRESS_PAUSE: Duration = Duration::from_secs(5);
/// Answers to the peer's own pings and calls come sooner, but not more often than this.
pub(crate) const REACTION_PAUSE: Duration = Duration::from_millis(200);
/// While a path works, all others are tried this often, for a better one.
pub(crate) const FULL_PING: Duration = Duration::from_mins(1);
/// A path this fast is not worth improving.
pub(crate) const GOOD_ENOUGH: Duration = Duration::from_millis(5);
/// A ping without an answer is lost after this.
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// Calls (call-me-maybe) of one peer are honoured this often.
pub(crate) const CALL_PAUSE: Duration = Duration::from_secs(5);
