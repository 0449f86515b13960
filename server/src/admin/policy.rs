//! The access policy.

use serde::{Deserialize, Serialize};
use wire::api::{
    me::Actor,
    policy::{SavePolicy, explain::ExplainPolicy, impact::PreviewImpact},
};

use super::{Answer, tenant};
use crate::{act::policy, app::App, error::Result};

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "names and fields speak for themselves")]
pub enum Request {
    Get {
        tenant: tenant::Name,
    },
    Check {
        tenant: tenant::Name,
        document: String,
    },
    Set {
        tenant: tenant::Name,
        document: String,
        reason: String,
    },
    Explain {
        tenant: tenant::Name,
        asked: ExplainPolicy,
    },
    Impact {
        tenant: tenant::Name,
        change: PreviewImpact,
    },
}

pub(super) async fn perform(app: &App, by: &Actor, request: Request) -> Result<Answer> {
    match request {
        Request::Get { tenant } => {
            let tenant = tenant::find(app, &tenant).await?;
            policy::current(app, tenant).await.map(Answer::Policy)
        }
        Request::Check { tenant, document } => {
            let tenant = tenant::find(app, &tenant).await?;
            policy::check(app, tenant, document)
                .await
                .map(Answer::Checked)
        }
        Request::Explain { tenant, asked } => {
            let tenant = tenant::find(app, &tenant).await?;
            let explained = policy::explain(app, tenant, asked).await?;
            Ok(Answer::Explained(Box::new(explained)))
        }
        Request::Impact { tenant, change } => {
            let tenant = tenant::find(app, &tenant).await?;
            let impact = policy::impact(app, tenant, None, change).await?;
            Ok(Answer::Impact(Box::new(impact)))
        }
        Request::Set {
            tenant,
            document,
            reason,
        } => {
            let tenant = tenant::find(app, &tenant).await?;
            let save = SavePolicy {
                document,
                reason,
                base: policy::current(app, tenant).await?.revision.id,
            };
            policy::save(app, by, tenant, save)
                .await
                .map(Answer::Policy)
        }
    }
}
