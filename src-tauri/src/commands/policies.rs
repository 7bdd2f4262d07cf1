//! Commands about the access policy.

use super::Answer;
use crate::desk::Desk;
use lastkey_engine::store::PolicyStanding;
use lastkey_workbench::{PolicyDifferences, PolicyRemark, PolicyView, check_policy};

pub async fn policy(desk: &Desk, draft: bool) -> Answer<Option<PolicyView>> {
    let standing = match draft {
        true => PolicyStanding::Draft,
        false => PolicyStanding::Active,
    };
    Ok(desk.workbench().await?.policy_view(standing).await?)
}

pub async fn policy_check(_desk: &Desk, text: String) -> Answer<Vec<PolicyRemark>> {
    let (_, remarks) = check_policy(&text)?;
    Ok(remarks)
}

pub async fn policy_draft(desk: &Desk, name: String, text: String) -> Answer<PolicyView> {
    let bench = desk.workbench().await?;
    let draft = bench.load_policy(PolicyStanding::Draft, &name, &text);
    Ok(draft.await?)
}

pub async fn policy_activate(desk: &Desk) -> Answer<PolicyView> {
    Ok(desk.workbench().await?.activate_policy().await?)
}

pub async fn policy_differences(desk: &Desk, limit: u32) -> Answer<PolicyDifferences> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(desk.workbench().await?.policy_differences(limit).await?)
}
