// SPDX-License-Identifier: Apache-2.0

use std::ops::Range;

use clawrank_proof::{EndpointName, ModelName};
use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::{Catalogue, CatalogueError, Endpoint, MAX_CATALOGUE_CELLS, Model};
use crate::{needs::Need, tasks::TASK_TYPES};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCatalogue {
    endpoint: Vec<RawEndpoint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEndpoint {
    id: Spanned<String>,
    base_url: Spanned<String>,
    api_key_env: Option<Spanned<String>>,
    models: Spanned<Vec<RawModel>>,
    task_types: Spanned<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModel {
    id: Spanned<String>,
    upstream_id: Option<Spanned<String>>,
    price_in_micro_usd_per_mtok: u64,
    price_out_micro_usd_per_mtok: u64,
    context_tokens: Spanned<u32>,
    #[serde(default)]
    lacks: Vec<Need>,
}

/// Makes errors that name the line of a value.
struct Source<'a> {
    text: &'a str,
    origin: &'a str,
}

impl Source<'_> {
    fn error(&self, span: Range<usize>, field: &'static str, problem: String) -> CatalogueError {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1);
        CatalogueError::Field { origin: self.origin.to_owned(), line, field, problem }
    }
}

pub(super) fn parse(text: &str, origin: &str) -> Result<Catalogue, CatalogueError> {
    let raw: RawCatalogue = toml::from_str(text)
        .map_err(|error| CatalogueError::Syntax { origin: origin.to_owned(), message: error.to_string() })?;
    let source = Source { text, origin };
    let mut endpoints: Vec<Endpoint> = Vec::with_capacity(raw.endpoint.len());
    for entry in raw.endpoint {
        let span = entry.id.span();
        let endpoint = endpoint(&source, entry)?;
        if endpoints.iter().any(|other| other.id == endpoint.id) {
            let problem = format!("`{}` is taken by an earlier endpoint; give each its own id", endpoint.id);
            return Err(source.error(span, "id", problem));
        }
        endpoints.push(endpoint);
    }
    let catalogue = Catalogue { endpoints };
    let cells = catalogue.cells().len();
    if cells > MAX_CATALOGUE_CELLS {
        return Err(CatalogueError::TooManyCells { origin: origin.to_owned(), cells });
    }
    Ok(catalogue)
}

fn endpoint(source: &Source<'_>, raw: RawEndpoint) -> Result<Endpoint, CatalogueError> {
    let id = EndpointName::normalised(raw.id.get_ref())
        .map_err(|error| source.error(raw.id.span(), "id", error.to_string()))?
        .into_string();
    let base_url = base_url(source, &raw.base_url)?;
    let api_key_env = match raw.api_key_env {
        Some(variable) if !is_variable_name(variable.get_ref()) => {
            let problem = "not the name of an environment variable; give the name, never the key itself".to_owned();
            return Err(source.error(variable.span(), "api_key_env", problem));
        }
        other => other.map(Spanned::into_inner),
    };
    if raw.models.get_ref().is_empty() {
        return Err(source.error(
            raw.models.span(),
            "models",
            "empty; an endpoint serves at least one model".to_owned(),
        ));
    }
    let mut models: Vec<Model> = Vec::new();
    for entry in raw.models.into_inner() {
        let span = entry.id.span();
        let model = model(source, entry)?;
        if models.iter().any(|other| other.id == model.id) {
            return Err(source.error(span, "id", format!("model `{}` is listed twice; remove one", model.id)));
        }
        models.push(model);
    }
    Ok(Endpoint { id, base_url, api_key_env, models, task_types: task_types(source, raw.task_types)? })
}

fn model(source: &Source<'_>, raw: RawModel) -> Result<Model, CatalogueError> {
    let id = ModelName::normalised(raw.id.get_ref())
        .map_err(|error| source.error(raw.id.span(), "id", error.to_string()))?
        .into_string();
    let upstream_id = match raw.upstream_id {
        Some(name) => {
            let span = name.span();
            let name =
                ModelName::new(name.get_ref()).map_err(|error| source.error(span, "upstream_id", error.to_string()))?;
            name.into_string()
        }
        None => raw.id.get_ref().trim().to_owned(),
    };
    if *raw.context_tokens.get_ref() == 0 {
        let problem = "0; give the size of the context in tokens".to_owned();
        return Err(source.error(raw.context_tokens.span(), "context_tokens", problem));
    }
    Ok(Model {
        id,
        upstream_id,
        price_in_micro_usd_per_mtok: raw.price_in_micro_usd_per_mtok,
        price_out_micro_usd_per_mtok: raw.price_out_micro_usd_per_mtok,
        context_tokens: raw.context_tokens.into_inner(),
        lacks: raw.lacks,
    })
}

fn task_types(source: &Source<'_>, raw: Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>, CatalogueError> {
    if raw.get_ref().is_empty() {
        let problem = format!("empty; use some of {}", TASK_TYPES.join(", "));
        return Err(source.error(raw.span(), "task_types", problem));
    }
    let mut kept: Vec<String> = Vec::new();
    for entry in raw.into_inner() {
        let name = entry.get_ref().trim().to_ascii_lowercase();
        if !TASK_TYPES.contains(&name.as_str()) {
            let problem = format!("unknown task type `{name}`; use some of {}", TASK_TYPES.join(", "));
            return Err(source.error(entry.span(), "task_types", problem));
        }
        if kept.contains(&name) {
            return Err(source.error(entry.span(), "task_types", format!("`{name}` is listed twice; remove one")));
        }
        kept.push(name);
    }
    Ok(kept)
}

fn base_url(source: &Source<'_>, raw: &Spanned<String>) -> Result<Url, CatalogueError> {
    let refuse = |problem: String| source.error(raw.span(), "base_url", problem);
    let url = Url::parse(raw.get_ref().trim_end_matches('/')).map_err(|error| refuse(format!("not a URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(refuse("give an http or https URL with a host".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("a URL must not carry a password; put the key into the variable of api_key_env".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("a base URL has neither query nor fragment; remove it".to_owned()));
    }
    Ok(url)
}

fn is_variable_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.len() <= 128
        && name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}
