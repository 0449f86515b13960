//! The audit log: appended in the transaction of the act itself.

use sea_orm::FromQueryResult;
use wire::{
    Timestamp,
    api::{Page, audit::AuditRecord, me::Actor},
    id::AuditId,
};

use super::rows::{TenantRows, json, text, to_json};
use crate::{
    audit::{AuditEvent, Link, actor_text},
    error::{Error, Result},
};

#[derive(FromQueryResult)]
struct Head {
    seq: i64,
    hash: String,
}

#[derive(FromQueryResult)]
struct Row {
    seq: i64,
    id: String,
    at: i64,
    actor: String,
    event: String,
    target: String,
    detail: String,
    hash: String,
}

#[derive(FromQueryResult)]
struct Name {
    event: String,
}

const PAGE: i64 = 100;

impl TenantRows {
    /// Records an act.
    pub async fn record(&self, actor: &Actor, event: &AuditEvent) -> Result<()> {
        let head = "SELECT seq, hash FROM audit WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1";
        let head: Option<Head> = self.conn.one(head, self.scoped([])).await?;
        let (before, seq) = head.map_or((String::new(), 1), |h| (h.hash, h.seq + 1));
        let at = self.context.clock.now();
        let (event, target, detail) = event.render();
        let (actor, detail) = (actor_text(actor), to_json(&detail)?);
        let hash = Link {
            before: &before,
            seq,
            at,
            actor: &actor,
            event,
            target: &target,
            detail: &detail,
        }
        .hash();
        let sql = "INSERT INTO audit (tenant_id, seq, id, at, actor, event, target, detail, hash) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let values = self.scoped([
            seq.into(),
            self.context.rng.uuid_v7(at).to_string().into(),
            at.unix_micros().into(),
            actor.into(),
            event.into(),
            target.into(),
            detail.into(),
            hash.into(),
        ]);
        self.conn.run(sql, values).await?;
        Ok(())
    }

    /// One page of the log, newest first; `cursor` is [`Page::next`] of the page before.
    pub async fn audit_page(&self, cursor: Option<&str>) -> Result<Page<AuditRecord>> {
        let before: i64 = match cursor {
            None => i64::MAX,
            Some(text) => text
                .parse()
                .map_err(|_| Error::Malformed("the cursor is not one of ours".to_owned()))?,
        };
        let sql = "SELECT seq, id, at, actor, event, target, detail, hash FROM audit \
                   WHERE tenant_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";
        let rows: Vec<Row> = self
            .conn
            .all(sql, self.scoped([before.into(), PAGE.into()]))
            .await?;
        let next = rows
            .last()
            .filter(|last| last.seq > 1)
            .map(|last| last.seq.to_string());
        let items = rows.into_iter().map(Row::read).collect::<Result<_>>()?;
        Ok(Page { items, next })
    }

    /// True when the log says last of the policy in force that its tests fail.
    pub async fn policy_tests_fail(&self) -> Result<bool> {
        let sql = "SELECT event FROM audit WHERE tenant_id = $1 AND event IN \
                   ('policy.saved', 'policy.tests_failed', 'policy.tests_passed') \
                   ORDER BY seq DESC LIMIT 1";
        let last: Option<Name> = self.conn.one(sql, self.scoped([])).await?;
        Ok(last.is_some_and(|l| l.event == "policy.tests_failed"))
    }

    /// Checks the whole chain; `Err` names the first record that does not fit.
    pub async fn verify_audit(&self) -> Result<Result<u64, i64>> {
        let sql = "SELECT seq, id, at, actor, event, target, detail, hash FROM audit \
                   WHERE tenant_id = $1 ORDER BY seq";
        let rows: Vec<Row> = self.conn.all(sql, self.scoped([])).await?;
        let mut before = String::new();
        for (row, expected) in rows.iter().zip(1_i64..) {
            let link = Link {
                before: &before,
                seq: row.seq,
                at: Timestamp::from_unix_micros(row.at),
                actor: &row.actor,
                event: &row.event,
                target: &row.target,
                detail: &row.detail,
            };
            if row.seq != expected || link.hash() != row.hash {
                return Ok(Err(row.seq));
            }
            before.clone_from(&row.hash);
        }
        Ok(Ok(rows.len() as u64))
    }
}

impl Row {
    fn read(self) -> Result<AuditRecord> {
        Ok(AuditRecord {
            id: text::<AuditId>(&self.id)?,
            at: Timestamp::from_unix_micros(self.at),
            actor: json(&self.actor)?,
            event: self.event,
            target: self.target,
            detail: json(&self.detail)?,
        })
    }
}
