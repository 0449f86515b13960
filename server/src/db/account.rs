//! Accounts: people, whatever tenants they are members of.

use sea_orm::FromQueryResult;
use wire::{Timestamp, id::AccountId, name::Email};

use super::rows::{SystemRows, text};
use crate::error::Result;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The id.
    pub id: AccountId,
    /// The e-mail address, unique over the server.
    pub email: Email,
    /// The name for people.
    pub display_name: String,
    /// When he last signed in.
    pub last_sign_in: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    id: String,
    email: String,
    display_name: String,
    last_sign_in: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Account> {
        Ok(Account {
            id: text(&self.id)?,
            email: text(&self.email)?,
            display_name: self.display_name,
            last_sign_in: self.last_sign_in.map(Timestamp::from_unix_micros),
        })
    }
}

const COLUMNS: &str = "SELECT id, email, display_name, last_sign_in FROM accounts";

impl SystemRows {
    /// One account.
    pub async fn find_account(&self, id: AccountId) -> Result<Option<Account>> {
        let sql = format!("{COLUMNS} WHERE id = $1");
        let row: Option<Row> = self.conn.one(&sql, vec![id.to_string().into()]).await?;
        row.map(Row::read).transpose()
    }

    /// The account with this e-mail address.
    pub async fn find_account_by_email(&self, email: &Email) -> Result<Option<Account>> {
        let sql = format!("{COLUMNS} WHERE email = $1");
        let row: Option<Row> = self.conn.one(&sql, vec![email.as_str().into()]).await?;
        row.map(Row::read).transpose()
    }

    /// The account with this e-mail address; made when there is none.
    pub async fn ensure_account(&self, email: &Email, display_name: &str) -> Result<Account> {
        if let Some(account) = self.find_account_by_email(email).await? {
            return Ok(account);
        }
        let now = self.context.clock.now();
        let account = Account {
            id: AccountId(self.context.rng.uuid_v7(now)),
            email: email.clone(),
            display_name: display_name.to_owned(),
            last_sign_in: None,
        };
        let sql = "INSERT INTO accounts (id, email, display_name, created) VALUES ($1, $2, $3, $4)";
        let values = vec![
            account.id.to_string().into(),
            email.as_str().into(),
            display_name.into(),
            now.unix_micros().into(),
        ];
        self.conn.run(sql, values).await?;
        Ok(account)
    }

    /// Notes that a person has signed in now.
    pub async fn mark_sign_in(&self, id: AccountId) -> Result<()> {
        let now = self.context.clock.now().unix_micros();
        let sql = "UPDATE accounts SET last_sign_in = $2 WHERE id = $1";
        self.conn
            .run(sql, vec![id.to_string().into(), now.into()])
            .await?;
        Ok(())
    }
}
