//! Users: an account's membership in one tenant.

use sea_orm::FromQueryResult;
use wire::{Timestamp, UserId, api::Role, id::AccountId, name::Email};

use super::{
    address::next_id,
    rows::{TenantRows, number, text, unsigned},
    tenant::Listing,
};
use crate::error::{Error, Result};

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id, as nodes see it.
    pub id: UserId,
    /// The person.
    pub account: AccountId,
    /// His e-mail address.
    pub email: Email,
    /// His name.
    pub display_name: String,
    /// What he may do.
    pub role: Role,
    /// When he joined.
    pub created: Timestamp,
    /// When he last signed in.
    pub last_sign_in: Option<Timestamp>,
    /// How many nodes are his.
    pub nodes: u32,
}

/// What a member's machines are told of him.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Profile {
    /// His e-mail address.
    pub email: String,
    /// His name.
    pub display_name: String,
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    account_id: String,
    email: String,
    display_name: String,
    role: String,
    created: i64,
    last_sign_in: Option<i64>,
    nodes: i64,
}

impl Row {
    fn read(self) -> Result<User> {
        Ok(User {
            id: UserId(unsigned(self.id)),
            account: text(&self.account_id)?,
            email: text(&self.email)?,
            display_name: self.display_name,
            role: text(&self.role)?,
            created: Timestamp::from_unix_micros(self.created),
            last_sign_in: self.last_sign_in.map(Timestamp::from_unix_micros),
            nodes: u32::try_from(self.nodes).unwrap_or(u32::MAX),
        })
    }
}

const COLUMNS: &str = "SELECT u.id, u.account_id, a.email, a.display_name, u.role, u.created, \
    a.last_sign_in, (SELECT COUNT(*) FROM nodes n WHERE n.tenant_id = u.tenant_id AND n.user_id = u.id) AS nodes \
    FROM users u JOIN accounts a ON a.id = u.account_id WHERE u.tenant_id = $1";

impl TenantRows {
    /// All members, oldest first.
    pub async fn users(&self) -> Result<Vec<User>> {
        let sql = format!("{COLUMNS} ORDER BY u.id");
        let rows: Vec<Row> = self.conn.all(&sql, self.scoped([])).await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// One member.
    pub async fn user(&self, id: UserId) -> Result<User> {
        let sql = format!("{COLUMNS} AND u.id = $2");
        let row: Option<Row> = self
            .conn
            .one(&sql, self.scoped([number(id.0).into()]))
            .await?;
        row.ok_or(Error::NotFound)?.read()
    }

    /// The member with this e-mail address.
    pub async fn find_user_by_email(&self, email: &Email) -> Result<Option<User>> {
        let sql = format!("{COLUMNS} AND a.email = $2");
        let row: Option<Row> = self
            .conn
            .one(&sql, self.scoped([email.as_str().into()]))
            .await?;
        row.map(Row::read).transpose()
    }

    /// The member that an account is here.
    pub async fn find_user_by_account(&self, account: AccountId) -> Result<Option<User>> {
        let sql = format!("{COLUMNS} AND u.account_id = $2");
        let row: Option<Row> = self
            .conn
            .one(&sql, self.scoped([account.to_string().into()]))
            .await?;
        row.map(Row::read).transpose()
    }

    /// The login name and the name for people of one member.
    pub async fn profile(&self, id: UserId) -> Result<Profile> {
        let sql = "SELECT a.email, a.display_name FROM users u JOIN accounts a ON a.id = u.account_id \
                   WHERE u.tenant_id = $1 AND u.id = $2";
        let row: Option<Profile> = self
            .conn
            .one(sql, self.scoped([number(id.0).into()]))
            .await?;
        row.ok_or(Error::NotFound)
    }

    /// Makes an account a member.
    pub async fn create_user(&self, account: AccountId, role: Role) -> Result<User> {
        let id = UserId(next_id(&self.conn).await?);
        let now = self.context.clock.now().unix_micros();
        let sql = "INSERT INTO users (tenant_id, id, account_id, role, created) \
                   VALUES ($1, $2, $3, $4, $5)";
        let values = self.scoped([
            number(id.0).into(),
            account.to_string().into(),
            role.as_str().into(),
            now.into(),
        ]);
        self.conn.run(sql, values).await?;
        let value = format!("{account}/{}", self.id);
        self.list_in_directory(Listing::Member, &value, id.to_string())
            .await?;
        self.user(id).await
    }

    /// Gives a member another role.
    pub async fn set_role(&self, id: UserId, role: Role) -> Result<()> {
        let sql = "UPDATE users SET role = $3 WHERE tenant_id = $1 AND id = $2";
        let values = self.scoped([number(id.0).into(), role.as_str().into()]);
        match self.conn.run(sql, values).await? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    }

    /// Removes a member and his auth keys; his nodes must be gone.
    pub async fn delete_user(&self, user: &User) -> Result<()> {
        for key in self
            .auth_keys()
            .await?
            .into_iter()
            .filter(|k| k.user == user.id)
        {
            self.delete_auth_key(&key).await?;
        }
        self.unlist(Listing::Member, &format!("{}/{}", user.account, self.id))
            .await?;
        let sql = "DELETE FROM users WHERE tenant_id = $1 AND id = $2";
        self.conn
            .run(sql, self.scoped([number(user.id.0).into()]))
            .await?;
        Ok(())
    }
}
