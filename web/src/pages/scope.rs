//! The tenant that a page is about, and what the person may do there. A context.

use leptos::prelude::*;
use wire::{
    TenantId, UserId,
    api::{Action, Role, me::Membership},
};

use crate::{route::TenantPage, unsaved};

/// The membership under which a page is seen.
#[derive(Clone, Copy)]
pub(crate) struct Scope(StoredValue<Membership>);

impl Scope {
    /// From a membership.
    pub(crate) fn new(membership: Membership) -> Self {
        Self(StoredValue::new(membership))
    }

    /// That of this page.
    pub(crate) fn expect() -> Self {
        expect_context()
    }

    /// The tenant.
    pub(crate) fn tenant(self) -> TenantId {
        self.0.with_value(|m| m.tenant)
    }

    /// The person as a member.
    pub(crate) fn user(self) -> UserId {
        self.0.with_value(|m| m.user)
    }

    /// What he has not saved is kept under this.
    pub(crate) fn draft_key(self) -> String {
        self.0.with_value(unsaved::key)
    }

    /// His role.
    pub(crate) fn role(self) -> Role {
        self.0.with_value(|m| m.role)
    }

    /// The tenant's name.
    pub(crate) fn name(self) -> String {
        self.0.with_value(|m| m.name.clone())
    }

    /// Whether the person may do `action`.
    pub(crate) fn may(self, action: Action) -> bool {
        self.role().may(action)
    }

    /// Where a page of this tenant is.
    pub(crate) fn path(self, page: TenantPage) -> String {
        self.0.with_value(|m| page.path(&m.slug))
    }

    /// Says why something is not offered, when it is not.
    pub(crate) fn refusal(self, action: Action) -> Option<String> {
        (!self.may(action))
            .then(|| format!("Your role ({}) does not allow this.", self.role().title()))
    }
}
