//! Sessions of the console, kept in our own database.
//!
//! The cookie holds 128 random bits and nothing else; the row is found by
//! their SHA-256. A session ends 12 hours after it was last used, and 7 days
//! after sign-in whatever happens.

use std::{error::Error as _, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::response::Response;
use http::{HeaderValue, header::SET_COOKIE};
use sha2::{Digest as _, Sha256};
use tower_sessions::{
    Expiry, Session, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{Error as StoreError, Result as StoreResult},
};
use wire::{Timestamp, id::AccountId};

use super::SignedIn;
use crate::{
    app::App,
    db::{Reason, SessionRow},
    error::{Error, Result},
};

/// A session that is not used ends after this.
pub const IDLE: Duration = Duration::from_hours(12);
/// A session ends after this whatever happens.
pub const ABSOLUTE: Duration = Duration::from_hours(7 * 24);
/// Uses closer together than this are noted once.
const NOTED_EVERY: Duration = Duration::from_mins(1);

/// Where the session keeps who is signed in.
const WHO: &str = "who";

/// The cookie's name where browsers speak TLS to us, and where they do not (loopback).
pub const SECURE_COOKIE: &str = "__Host-sid";
/// As [`SECURE_COOKIE`], which needs TLS.
pub const PLAIN_COOKIE: &str = "warren-sid";

/// The layer that gives requests their session.
pub fn layer(app: &Arc<App>) -> SessionManagerLayer<Sessions> {
    let secure = app.config.public_url().starts_with("https://");
    let name = if secure { SECURE_COOKIE } else { PLAIN_COOKIE };
    let days = i64::try_from(ABSOLUTE.as_secs()).unwrap_or(i64::MAX);
    SessionManagerLayer::new(Sessions(Arc::clone(app)))
        .with_name(name)
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::seconds(days)))
}

/// Gives the removal of our cookie the attribute that its name asks for: a
/// browser ignores a `__Host-` cookie without it, and would keep the old one.
pub async fn mark_secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let all: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    let ours = |cookie: &HeaderValue| {
        let text = cookie.to_str().unwrap_or_default();
        text.starts_with(SECURE_COOKIE) && !text.contains("; Secure")
    };
    if all.iter().any(ours) {
        headers.remove(SET_COOKIE);
        for cookie in all {
            let marked = [cookie.as_bytes(), b"; Secure"].concat();
            let marked = HeaderValue::from_bytes(&marked)
                .ok()
                .filter(|_| ours(&cookie));
            headers.append(SET_COOKIE, marked.unwrap_or(cookie));
        }
    }
    response
}

/// Who is signed in, if anybody is.
pub async fn who(session: &Session) -> Result<Option<SignedIn>> {
    session.get(WHO).await.map_err(Error::unavailable)
}

/// Signs somebody in: under a new id, so that one known before sign-in is worth nothing.
pub async fn open(session: &Session, who: &SignedIn) -> Result<()> {
    session.cycle_id().await.map_err(Error::unavailable)?;
    session.insert(WHO, who).await.map_err(Error::unavailable)
}

/// Whether the session has neither ended nor been ended; this is no use of it.
pub async fn is_alive(app: &App, session: &Session) -> Result<bool> {
    let Some(id) = session.id() else {
        return Ok(false);
    };
    let rows = app.db.system(Reason::SignIn).await?;
    let row = rows.find_session(&hash(&id)).await?;
    Ok(row.is_some_and(|row| !has_ended(&row, app.clock.now())))
}

fn has_ended(row: &SessionRow, now: Timestamp) -> bool {
    now >= row.expires || now.since(row.last_seen) >= IDLE
}

/// Ends the session.
pub async fn close(session: &Session) -> Result<()> {
    session.flush().await.map_err(Error::unavailable)
}

/// The store behind the layer.
#[derive(Debug, Clone)]
pub struct Sessions(Arc<App>);

impl Sessions {
    fn row(&self, record: &Record, created: Timestamp) -> StoreResult<SessionRow> {
        let data =
            serde_json::to_string(&record.data).map_err(|e| StoreError::Encode(e.to_string()))?;
        let account = record
            .data
            .get(WHO)
            .and_then(|who| who.get("account"))
            .and_then(|id| serde_json::from_value::<AccountId>(id.clone()).ok());
        Ok(SessionRow {
            id_hash: hash(&record.id),
            account,
            data,
            created,
            last_seen: self.0.clock.now(),
            expires: created.plus(ABSOLUTE),
        })
    }
}

/// What is stored of a session's id. The id has 128 random bits: no key is needed.
fn hash(id: &Id) -> String {
    hex::encode(Sha256::digest(id.0.to_be_bytes()))
}

fn backend(error: &Error) -> StoreError {
    let cause = error.source().map(|cause| format!(": {cause}"));
    StoreError::Backend(format!("{error}{}", cause.unwrap_or_default()))
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        loop {
            let row = self.row(record, self.0.clock.now())?;
            let created = self
                .0
                .db
                .write_system(Reason::SignIn, move |rows| async move {
                    rows.create_session(&row).await
                })
                .await
                .map_err(|e| backend(&e))?;
            if created {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    async fn save(&self, record: &Record) -> StoreResult<()> {
        let draft = self.row(record, self.0.clock.now())?;
        self.0
            .db
            .write_system(Reason::SignIn, move |rows| async move {
                let Some(stored) = rows.find_session(&draft.id_hash).await? else {
                    return Ok(());
                };
                let row = SessionRow {
                    created: stored.created,
                    expires: stored.expires,
                    ..draft
                };
                rows.update_session(&row).await.map(|_| ())
            })
            .await
            .map_err(|e| backend(&e))
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        let id_hash = hash(id);
        let rows = self
            .0
            .db
            .system(Reason::SignIn)
            .await
            .map_err(|e| backend(&e))?;
        let row = rows.find_session(&id_hash).await.map_err(|e| backend(&e))?;
        drop(rows);
        let Some(row) = row else { return Ok(None) };
        let now = self.0.clock.now();
        if has_ended(&row, now) {
            self.delete(id).await?;
            return Ok(None);
        }
        if now.since(row.last_seen) >= NOTED_EVERY {
            self.0
                .db
                .write_system(Reason::SignIn, move |rows| async move {
                    rows.touch_session(&id_hash).await
                })
                .await
                .map_err(|e| backend(&e))?;
        }
        let data =
            serde_json::from_str(&row.data).map_err(|e| StoreError::Decode(e.to_string()))?;
        let expires = time::OffsetDateTime::from_unix_timestamp(row.expires.unix_seconds())
            .map_err(|e| StoreError::Decode(e.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date: expires,
        }))
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        let id_hash = hash(id);
        self.0
            .db
            .write_system(Reason::SignIn, move |rows| async move {
                rows.delete_session(&id_hash).await
            })
            .await
            .map_err(|e| backend(&e))
    }
}
