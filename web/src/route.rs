//! The pages and their addresses. The menu, titles and guards are derived from here.

use wire::{
    NodeId,
    api::{Action, Role},
    paths::{REGISTRATION_PAGE, SIGN_IN_PAGE},
};

/// A page of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Page {
    /// Leads to the first tenant.
    Home,
    /// Uses a one-time link.
    SignIn,
    /// Lets a machine join; the token of its link.
    Register(String),
    /// A tenant's page; the tenant's short name.
    Tenant(String, TenantPage),
    /// No page.
    NotFound,
}

/// A page within a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TenantPage {
    /// All machines.
    Machines,
    /// One machine.
    Machine(NodeId),
    /// How to add one.
    AddDevice,
    /// The access policy.
    AccessControls,
    /// Its revisions.
    Revisions,
    /// Members and invitations.
    Users,
    /// Auth keys.
    AuthKeys,
    /// The audit log.
    Audit,
    /// The tenant's settings.
    Settings,
}

impl Page {
    /// The page at a path.
    pub(crate) fn parse(path: &str) -> Self {
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Self::Home;
        }
        if path == SIGN_IN_PAGE {
            return Self::SignIn;
        }
        if path.starts_with(REGISTRATION_PAGE) {
            return wire::paths::registration_token(path)
                .map_or(Self::NotFound, |token| Self::Register(token.to_owned()));
        }
        let Some(rest) = path.strip_prefix("/t/") else {
            return Self::NotFound;
        };
        let (slug, page) = rest.split_once('/').unwrap_or((rest, ""));
        TenantPage::parse(page)
            .filter(|_| !slug.is_empty())
            .map_or(Self::NotFound, |page| Self::Tenant(slug.to_owned(), page))
    }

    /// The page that stands for all that are drawn in the same frame.
    pub(crate) fn frame(self) -> Self {
        match self {
            Self::Tenant(slug, _) => Self::Tenant(slug, TenantPage::Machines),
            Self::Home | Self::SignIn | Self::Register(_) | Self::NotFound => self,
        }
    }
}

impl TenantPage {
    /// The pages of the menu, in its order.
    pub(crate) const MENU: [Self; 6] = [
        Self::Machines,
        Self::AccessControls,
        Self::Users,
        Self::AuthKeys,
        Self::Audit,
        Self::Settings,
    ];

    /// Where a person with this role starts.
    pub(crate) fn first_for(role: Role) -> Self {
        Self::MENU
            .into_iter()
            .find(|page| page.needs().is_none_or(|action| role.may(action)))
            .unwrap_or(Self::Settings)
    }

    fn parse(path: &str) -> Option<Self> {
        Some(match path {
            "" | "machines" => Self::Machines,
            "machines/add" => Self::AddDevice,
            "access-controls" => Self::AccessControls,
            "access-controls/revisions" => Self::Revisions,
            "users" => Self::Users,
            "auth-keys" => Self::AuthKeys,
            "audit" => Self::Audit,
            "settings" => Self::Settings,
            other => Self::Machine(other.strip_prefix("machines/")?.parse().ok()?),
        })
    }

    /// Its path in a tenant.
    pub(crate) fn path(self, slug: &str) -> String {
        let page = match self {
            Self::Machines => "machines".to_owned(),
            Self::Machine(node) => format!("machines/{node}"),
            Self::AddDevice => "machines/add".to_owned(),
            Self::AccessControls => "access-controls".to_owned(),
            Self::Revisions => "access-controls/revisions".to_owned(),
            Self::Users => "users".to_owned(),
            Self::AuthKeys => "auth-keys".to_owned(),
            Self::Audit => "audit".to_owned(),
            Self::Settings => "settings".to_owned(),
        };
        format!("/t/{slug}/{page}")
    }

    /// Its name for people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Machines => "Machines",
            Self::Machine(_) => "Machine",
            Self::AddDevice => "Add device",
            Self::AccessControls => "Access controls",
            Self::Revisions => "Revisions",
            Self::Users => "Users",
            Self::AuthKeys => "Auth keys",
            Self::Audit => "Audit",
            Self::Settings => "Settings",
        }
    }

    /// What a person must be allowed to do to see it; `None`: every member.
    pub(crate) fn needs(self) -> Option<Action> {
        match self {
            Self::Machines | Self::Machine(_) => Some(Action::ViewNodes),
            Self::AddDevice | Self::Settings => None,
            Self::AccessControls | Self::Revisions => Some(Action::ViewPolicy),
            Self::Users => Some(Action::ViewUsers),
            Self::AuthKeys => Some(Action::ViewAuthKeys),
            Self::Audit => Some(Action::ViewAuditLog),
        }
    }

    /// The entry of the menu that is marked while this page is shown.
    pub(crate) fn section(self) -> Self {
        match self {
            Self::Machine(_) | Self::AddDevice => Self::Machines,
            Self::Revisions => Self::AccessControls,
            Self::Machines
            | Self::AccessControls
            | Self::Users
            | Self::AuthKeys
            | Self::Audit
            | Self::Settings => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_a_tenant_is_found_at_its_own_path() {
        let pages = [
            TenantPage::Machines,
            TenantPage::Machine(NodeId(7)),
            TenantPage::AddDevice,
            TenantPage::AccessControls,
            TenantPage::Revisions,
            TenantPage::Users,
            TenantPage::AuthKeys,
            TenantPage::Audit,
            TenantPage::Settings,
        ];
        for page in pages {
            let found = Page::parse(&page.path("acme"));
            assert_eq!(found, Page::Tenant("acme".to_owned(), page));
            assert_eq!(found.frame(), Page::parse("/t/acme").frame());
        }
    }

    #[test]
    fn links_of_the_server_lead_to_their_pages() {
        let link = wire::paths::registration_link("", "abc");
        assert_eq!(Page::parse(&link), Page::Register("abc".to_owned()));
        assert_eq!(Page::parse(SIGN_IN_PAGE), Page::SignIn);
        assert_eq!(Page::parse("/"), Page::Home);
        let machines = Page::Tenant("acme".to_owned(), TenantPage::Machines);
        assert_eq!(Page::parse("/t/acme"), machines);
    }

    #[test]
    fn everybody_starts_on_a_page_that_is_his_to_see() {
        for role in Role::ALL {
            let page = TenantPage::first_for(role);
            assert!(page.needs().is_none_or(|action| role.may(action)));
        }
        assert_eq!(TenantPage::first_for(Role::Member), TenantPage::Machines);
        assert_eq!(TenantPage::first_for(Role::BillingAdmin), TenantPage::Users);
    }

    #[test]
    fn other_paths_are_no_pages() {
        for path in [
            "/nope",
            "/t/",
            "/t/acme/nope",
            "/t/acme/machines/x",
            "/register",
        ] {
            assert_eq!(Page::parse(path), Page::NotFound, "{path}");
        }
    }
}
