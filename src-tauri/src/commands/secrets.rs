//! Commands about where secrets stand.

use super::Answer;
use crate::desk::Desk;
use lastkey_engine::locations::{PlaceReader, SecretPlace, SecretsSummary};
use lastkey_engine::views::{ListQuery, RowWindow};
use lastkey_workbench::{SecretShown, SecretsView};

pub async fn secrets_summary(desk: &Desk) -> Answer<SecretsSummary> {
    Ok(desk.workbench().await?.secrets_summary().await?)
}

pub async fn secrets(
    desk: &Desk,
    query: ListQuery,
    identity: Option<String>,
) -> Answer<SecretsView> {
    let bench = desk.workbench().await?;
    Ok(bench.secrets(&query, identity.as_deref()).await?)
}

pub async fn secret(desk: &Desk, key: String, identity: Option<String>) -> Answer<SecretShown> {
    let bench = desk.workbench().await?;
    Ok(bench.secret(&key, identity.as_deref()).await?)
}

pub async fn secret_places(
    desk: &Desk,
    query: ListQuery,
    identity: Option<String>,
) -> Answer<RowWindow<SecretPlace>> {
    let bench = desk.workbench().await?;
    Ok(bench.secret_places(&query, identity.as_deref()).await?)
}

pub async fn secret_readers(
    desk: &Desk,
    key: String,
    query: ListQuery,
) -> Answer<RowWindow<PlaceReader>> {
    Ok(desk.workbench().await?.secret_readers(&key, &query).await?)
}
