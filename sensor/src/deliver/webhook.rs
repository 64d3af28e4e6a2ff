//! One POST an alert to a webhook.

use std::time::Duration;

use reqwest::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT,
};
use reqwest::{Client, Response, Url, redirect};

use super::address::{Resolver, refuse_link_local};
use super::failure::{Failure, cause};
use super::files::{self, FileError};
use super::links::Links;
use super::signature::{message_id, sign};
use super::{address, format, tls};
use crate::alert::Alert;
use crate::config::{Webhook, WebhookFormat};
use crate::time::Timestamp;

/// To be connected, TLS included.
pub(super) const CONNECT: Duration = Duration::from_secs(5);

/// For a whole attempt.
pub(super) const WHOLE: Duration = Duration::from_secs(15);

/// The most of an answer that is read, in bytes.
const MOST_READ: usize = 4096;

/// Sends to one webhook.
#[derive(Debug)]
pub(super) struct Sender {
    webhook: Webhook,
    url: Url,
    client: Option<Client>,
}

impl Sender {
    pub(super) fn new(webhook: Webhook) -> Self {
        let url = endpoint(&webhook);
        Self { webhook, url, client: None }
    }

    /// Forgets connections and what was read from files.
    pub(super) fn renew(&mut self) {
        self.client = None;
    }

    /// One attempt, at `now`.
    ///
    /// # Errors
    /// When the alert was not taken, or nobody knows.
    pub(super) async fn send(
        &mut self,
        alert: &Alert,
        links: Option<&Links>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        refuse_link_local(&self.url)?;
        let body = format::body(self.webhook.format, alert, links, now)?;
        let headers = self.headers(alert, now, &body)?;
        let client = self.client()?;
        let request = client.post(self.url.clone()).headers(headers).body(body);
        // `reqwest` counts the time for an answer's body too.
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(refusal(answer, now).await),
            Err(error) => {
                // The authorities may have changed since, and a broken connection helps nobody.
                self.renew();
                Err(no_answer(&error))
            }
        }
    }

    fn client(&mut self) -> Result<Client, Failure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client(self.webhook.ca_file.as_deref())?)
            .dns_resolver(Resolver)
            .redirect(redirect::Policy::none())
            // An appliance's environment is not where an operator looks for a proxy.
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| Failure::Connection(cause(&error)))?;
        Ok(self.client.insert(client).clone())
    }

    fn headers(&self, alert: &Alert, now: Timestamp, body: &[u8]) -> Result<HeaderMap, Failure> {
        const AGENT: &str = concat!("egret/", env!("CARGO_PKG_VERSION"));
        let id = message_id(alert);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert("idempotency-key", value(&id)?);
        if let Some(path) = &self.webhook.secret_file {
            let signature = sign(&files::keys(path)?, &id, now, body);
            headers.insert("webhook-id", value(&id)?);
            headers.insert("webhook-timestamp", HeaderValue::from(now.as_secs()));
            headers.insert("webhook-signature", value(&signature)?);
        }
        if let Some(path) = &self.webhook.token_file {
            let splunk = self.webhook.format == WebhookFormat::SplunkHec;
            let scheme = if splunk { "Splunk" } else { "Bearer" };
            let mut token = HeaderValue::from_str(&format!("{scheme} {}", files::token(path)?))
                .map_err(|_| FileError::Token { path: path.clone() })?;
            token.set_sensitive(true);
            headers.insert(AUTHORIZATION, token);
        }
        Ok(headers)
    }
}

/// Where to: for receivers whose API has one place, the server alone is enough.
fn endpoint(webhook: &Webhook) -> Url {
    let mut url = webhook.url.clone();
    let place = match webhook.format {
        WebhookFormat::Alertmanager => "/api/v2/alerts",
        WebhookFormat::SplunkHec => "/services/collector/event",
        WebhookFormat::Egret | WebhookFormat::Ecs | WebhookFormat::Ocsf => return url,
    };
    if url.path() == "/" {
        url.set_path(place);
    }
    url
}

fn value(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|error| Failure::Connection(error.to_string()))
}

/// What an answer that is no success says.
async fn refusal(answer: Response, now: Timestamp) -> Failure {
    let status = answer.status();
    if status.is_redirection() {
        return Failure::Redirect { status, to: location(&answer) };
    }
    let retry_after = retry_after(answer.headers(), now);
    Failure::Answer { status, answer: beginning(answer).await, retry_after }
}

/// Where a redirect points, without what may be secret in it.
fn location(answer: &Response) -> String {
    let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
    let path = to.split(['?', '#']).next().unwrap_or_default();
    match path.split_once("://").map(|(scheme, rest)| (scheme, rest.rsplit('@').next())) {
        Some((scheme, Some(rest))) => format!("{scheme}://{rest}"),
        _ => path.to_owned(),
    }
}

/// The first bytes of an answer: what comes late or never is not waited for in vain.
async fn beginning(mut answer: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MOST_READ {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(MOST_READ);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `Retry-After`: seconds or a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
    Some(Timestamp::from_parts(u64::try_from(date).ok()?, 0).since(now))
}

fn no_answer(error: &reqwest::Error) -> Failure {
    if let Some(error) = address_error(error) {
        return error.into();
    }
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => Failure::Silent(CONNECT),
        (true, false) => Failure::Silent(WHOLE),
        _ => Failure::Connection(cause(error)),
    }
}

/// What [`Resolver`] said, which `reqwest` wraps.
fn address_error(error: &(dyn std::error::Error + 'static)) -> Option<address::AddressError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<address::AddressError>() {
            return Some(found.clone());
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_parts(1_795_183_391, 0);
        let after = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(after("120"), Some(120));
        assert_eq!(after("Fri, 20 Nov 2026 14:04:11 GMT"), Some(60));
        assert_eq!(after("Fri, 20 Nov 2026 14:00:00 GMT"), Some(0));
        assert_eq!(after("soon"), None);
        assert_eq!(after("-1"), None);
        assert_eq!(after("99999999999999999999999"), None);
    }

    #[test]
    fn a_server_alone_is_enough_where_the_api_has_one_place() {
        let to = |url: &str, format| {
            let url = url.parse().unwrap();
            let (secret_file, token_file, ca_file) = (None, None, None);
            let min_severity = crate::alert::Severity::Medium;
            let webhook = Webhook { url, format, secret_file, token_file, ca_file, min_severity };
            endpoint(&webhook).to_string()
        };
        use WebhookFormat::{Alertmanager, Egret, SplunkHec};
        assert_eq!(to("http://am:9093", Alertmanager), "http://am:9093/api/v2/alerts");
        assert_eq!(to("http://am/am/api/v2/alerts", Alertmanager), "http://am/am/api/v2/alerts");
        assert_eq!(to("https://s:8088/", SplunkHec), "https://s:8088/services/collector/event");
        assert_eq!(to("https://s:8088/raw", SplunkHec), "https://s:8088/raw");
        assert_eq!(to("https://soc", Egret), "https://soc/");
    }
}
