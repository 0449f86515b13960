//! Numbers and addresses: unique over the server, never given out twice within a day.

use std::net::Ipv4Addr;

use sea_orm::FromQueryResult;
use wire::{
    NodeId,
    net::{MESH_IPV4, RESERVED_IPV4},
};

use super::rows::{Conn, number, text};
use crate::error::{Error, Result};

/// How long a released address rests.
const REST: std::time::Duration = std::time::Duration::from_hours(24);
/// Addresses of 100.64.0.0/10.
const RANGE: i64 = 1 << 22;

#[derive(FromQueryResult)]
struct Counter {
    value: i64,
}

#[derive(FromQueryResult)]
struct Free {
    ipv4: String,
}

/// The next id for a node or user: one row for the whole server, never reused.
pub(super) async fn next_id(conn: &Conn) -> Result<u64> {
    Ok(super::rows::unsigned(advance(conn, "id").await?))
}

async fn advance(conn: &Conn, name: &str) -> Result<i64> {
    let sql = "UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value";
    let row: Option<Counter> = conn.one(sql, vec![name.into()]).await?;
    Ok(row
        .ok_or_else(|| Error::internal(anyhow::anyhow!("counter {name} is missing")))?
        .value)
}

/// Takes an address for a node.
pub(super) async fn take(conn: &Conn, tenant: &str, node: NodeId, now: i64) -> Result<Ipv4Addr> {
    let address = match fresh(conn).await? {
        Some(address) => address,
        None => rested(conn, now).await?,
    };
    let sql = "INSERT INTO addresses (ipv4, tenant_id, node_id, released) VALUES ($1, $2, $3, NULL) \
               ON CONFLICT (ipv4) DO UPDATE SET tenant_id = $2, node_id = $3, released = NULL";
    conn.run(
        sql,
        vec![
            address.to_string().into(),
            tenant.into(),
            number(node.0).into(),
        ],
    )
    .await?;
    Ok(address)
}

/// The next address that was never given out; `None` when all were.
async fn fresh(conn: &Conn) -> Result<Option<Ipv4Addr>> {
    loop {
        let offset = advance(conn, "ipv4").await?;
        if offset >= RANGE - 1 {
            return Ok(None);
        }
        let candidate = at(offset);
        match RESERVED_IPV4.iter().find(|r| r.contains(candidate.into())) {
            None => return Ok(Some(candidate)),
            Some(reserved) => {
                let last = offset | ((1 << (32 - reserved.bits)) - 1);
                let sql = "UPDATE counters SET value = $1 WHERE name = 'ipv4'";
                conn.run(sql, vec![last.into()]).await?;
            }
        }
    }
}

/// The n-th address of the range.
fn at(offset: i64) -> Ipv4Addr {
    let base = match MESH_IPV4.addr {
        std::net::IpAddr::V4(base) => base.to_bits(),
        std::net::IpAddr::V6(_) => 0,
    };
    Ipv4Addr::from_bits(base + u32::try_from(offset).unwrap_or_default())
}

/// The address that has rested longest.
async fn rested(conn: &Conn, now: i64) -> Result<Ipv4Addr> {
    let before = now - i64::try_from(REST.as_micros()).unwrap_or(i64::MAX);
    let sql = "SELECT ipv4 FROM addresses WHERE released < $1 ORDER BY released LIMIT 1";
    let row: Option<Free> = conn.one(sql, vec![before.into()]).await?;
    match row {
        Some(free) => text(&free.ipv4),
        None => Err(Error::unavailable(anyhow::anyhow!(
            "no mesh address is free"
        ))),
    }
}

/// Gives a node's address back; it rests for a day.
pub(super) async fn release(conn: &Conn, tenant: &str, node: NodeId, now: i64) -> Result<()> {
    let sql = "UPDATE addresses SET released = $3 WHERE tenant_id = $1 AND node_id = $2";
    conn.run(sql, vec![tenant.into(), number(node.0).into(), now.into()])
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_addresses_of_the_range() {
        assert_eq!(at(1), Ipv4Addr::new(100, 64, 0, 1));
        assert_eq!(at(RANGE - 2), Ipv4Addr::new(100, 127, 255, 254));
    }
}
