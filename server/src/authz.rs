//! Who may do what.
//!
//! The one table is [`Role::may`] in `wire`; the console reads it too. Routes name the
//! action they need by a type of [`may`]; acts that write ask again inside their
//! transaction ([`permit`]), so that a role taken meanwhile takes effect.

use wire::api::{Action, Role, me::Actor};

use crate::{
    db::{TenantRows, User},
    error::{Error, Result},
};

/// What a route needs, as a type.
pub trait Permit: Send + Sync + 'static {
    /// The action; `None`: every member may.
    const ACTION: Option<Action>;
}

macro_rules! permits {
    ($($name:ident),* $(,)?) => {
        /// Each [`Action`] as a type.
        pub mod may {
            /// What every member may.
            #[derive(Debug, Clone, Copy)]
            pub struct Enter;

            impl super::Permit for Enter {
                const ACTION: Option<super::Action> = None;
            }

            $(
                #[doc = concat!("May [`super::Action::", stringify!($name), "`].")]
                #[derive(Debug, Clone, Copy)]
                pub struct $name;

                impl super::Permit for $name {
                    const ACTION: Option<super::Action> = Some(super::Action::$name);
                }
            )*
        }

        /// Each action has its type.
        const _: fn(Action) = |action| match action {
            $(Action::$name => {}),*
        };
    };
}

permits!(
    ViewNodes,
    ManageNodes,
    ManageRoutes,
    ViewAuthKeys,
    ManageAuthKeys,
    ViewPolicy,
    ManagePolicy,
    ViewUsers,
    ManageUsers,
    ViewAuditLog,
    ManageTenant,
    ManageOwners,
);

/// What an actor may do in a tenant, found inside the transaction of his act.
#[derive(Debug, Clone)]
pub enum Standing {
    /// A member, with the role he has now.
    Member(Box<User>),
    /// The server's operator, or the server itself.
    Operator,
}

impl Standing {
    /// Whether he may do `action`.
    pub fn may(&self, action: Action) -> bool {
        match self {
            Self::Member(user) => user.role.may(action),
            Self::Operator => true,
        }
    }

    /// The member, unless it is the operator.
    pub fn member(&self) -> Option<&User> {
        match self {
            Self::Member(user) => Some(user),
            Self::Operator => None,
        }
    }

    /// Whether he may give or take `role`, or act on one who has it: nobody
    /// hands out, or takes hold of, rights that he does not have himself.
    pub fn outranks(&self, role: Role) -> Result<()> {
        let covered = match self {
            Self::Member(user) => user.role.covers(role),
            Self::Operator => true,
        };
        if covered {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
    }
}

/// Finds out who `by` is here and refuses him unless he may do `action`.
/// Somebody who is no member does not learn that the tenant exists.
pub async fn permit(rows: &TenantRows, by: &Actor, action: Action) -> Result<Standing> {
    let standing = match by {
        Actor::User { email } => {
            let email = email.parse().map_err(|_| Error::NotFound)?;
            let user = rows.find_user_by_email(&email).await?;
            Standing::Member(Box::new(user.ok_or(Error::NotFound)?))
        }
        Actor::LocalAdmin { .. } | Actor::Server => {
            rows.tenant().await?;
            Standing::Operator
        }
        Actor::AuthKey { .. } => return Err(Error::Forbidden),
    };
    if standing.may(action) {
        Ok(standing)
    } else {
        Err(Error::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use wire::{Timestamp, UserId, id::AccountId};

    use super::*;

    fn member(role: Role) -> Standing {
        Standing::Member(Box::new(User {
            id: UserId(1),
            account: AccountId::default(),
            email: "a@x.example".parse().unwrap(),
            display_name: String::new(),
            role,
            created: Timestamp::ZERO,
            last_sign_in: None,
            nodes: 0,
        }))
    }

    #[test]
    fn the_table_of_roles_and_actions() {
        let mut table = String::new();
        for action in Action::ALL {
            let roles: Vec<_> = Role::ALL.iter().filter(|r| r.may(action)).collect();
            let roles: Vec<_> = roles.iter().map(|r| r.as_str()).collect();
            writeln!(table, "{action:?}: {}", roles.join(" ")).unwrap();
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn nobody_hands_out_rights_he_does_not_have() {
        let mut table = String::new();
        for role in Role::ALL {
            let standing = member(role);
            let ranks = Role::ALL.iter().filter(|r| standing.outranks(**r).is_ok());
            let ranks: Vec<_> = ranks.map(|r| r.as_str()).collect();
            writeln!(table, "{role}: {}", ranks.join(" ")).unwrap();
        }
        insta::assert_snapshot!(table);
        for role in Role::ALL {
            Standing::Operator.outranks(role).unwrap();
        }
    }
}
