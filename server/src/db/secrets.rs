//! The server's own secrets, sealed.

use sea_orm::FromQueryResult;
use zeroize::Zeroizing;

use super::rows::SystemRows;
use crate::error::{Error, Result};

#[derive(FromQueryResult)]
struct Row {
    sealed: String,
}

impl SystemRows {
    /// The secret with this name; drawn and stored when there is none yet.
    pub async fn ensure_secret(&self, name: &str) -> Result<Zeroizing<[u8; 32]>> {
        let place = format!("secrets|sealed|{name}");
        let (vault, rng) = (&self.context.vault, self.context.rng);
        let sql = "SELECT sealed FROM secrets WHERE name = $1";
        if let Some(row) = self.conn.one::<Row>(sql, vec![name.into()]).await? {
            let plain = vault.unseal(&place, &row.sealed).map_err(Error::Internal)?;
            let bytes = plain.as_slice().try_into().map_err(Error::internal)?;
            return Ok(Zeroizing::new(bytes));
        }
        let secret = Zeroizing::new(rng.bytes::<32>());
        let sealed = vault.seal(&place, &*secret, rng).map_err(Error::Internal)?;
        let sql = "INSERT INTO secrets (name, sealed) VALUES ($1, $2)";
        self.conn.run(sql, vec![name.into(), sealed.into()]).await?;
        Ok(secret)
    }
}
