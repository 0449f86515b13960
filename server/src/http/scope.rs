//! What is known of the request that a task serves: its id, and who asks for
//! which tenant once that is clear. The request's one log line, its problem and
//! its answer's header read it.

use std::sync::{Arc, OnceLock};

use wire::{TenantId, id::AccountId};

tokio::task_local! {
    static SCOPE: Arc<Scope>;
}

/// One request.
#[derive(Debug, Default)]
pub struct Scope {
    id: String,
    account: OnceLock<AccountId>,
    tenant: OnceLock<TenantId>,
}

impl Scope {
    /// A request with this id; nobody is known yet.
    pub fn new(id: String) -> Arc<Self> {
        Arc::new(Self {
            id,
            ..Self::default()
        })
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who asks.
    pub fn account(&self) -> Option<AccountId> {
        self.account.get().copied()
    }

    /// The tenant that is asked for; only set for its members.
    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant.get().copied()
    }
}

/// Runs `work` as the request `scope`.
pub async fn run<F: Future>(scope: Arc<Scope>, work: F) -> F::Output {
    SCOPE.scope(scope, work).await
}

/// `work` as a part of the request that this task serves, wherever it runs.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let scope = SCOPE.try_with(Arc::clone).ok();
    async move {
        match scope {
            Some(scope) => run(scope, work).await,
            None => work.await,
        }
    }
}

/// The id of the request that this task serves; empty outside of one.
pub fn request_id() -> String {
    SCOPE.try_with(|scope| scope.id.clone()).unwrap_or_default()
}

/// Notes who asks.
pub fn note_account(account: AccountId) {
    let _ = SCOPE.try_with(|scope| scope.account.set(account));
}

/// Notes the tenant, once the asker is known to be a member.
pub fn note_tenant(tenant: TenantId) {
    let _ = SCOPE.try_with(|scope| scope.tenant.set(tenant));
}
