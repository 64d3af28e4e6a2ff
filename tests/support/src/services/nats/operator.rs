//! Who NATS' servers trust where users are not in their config: an operator, its account, and users with
//! `.creds` files, as NATS' own tools make them. Each says who the next is in a token (JWT, version 2 of NATS'
//! claims) that it signs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// An operator with one account that may use JetStream.
#[derive(Debug)]
pub struct Operator {
    key: KeyPair,
    account: KeyPair,
    /// The servers' own.
    system: KeyPair,
}

impl Operator {
    /// A new one.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "no two are equal")]
    pub fn new() -> Self {
        let [account, system] = [KeyPair::new_account(), KeyPair::new_account()];
        Self { key: KeyPair::new_operator(), account, system }
    }

    /// What a server's config has to trust it.
    pub fn config(&self) -> String {
        let operator = token(&self.key, &self.key.public_key(), json!({ "type": "operator" }));
        let limits = |bytes: i32| {
            json!({
                "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
                "conn": -1, "leaf": -1, "mem_storage": bytes, "disk_storage": bytes, "streams": -1,
                "consumer": -1,
            })
        };
        let accounts = [(&self.account, -1), (&self.system, 0)].map(|(account, bytes)| {
            let name = account.public_key();
            let claims = json!({ "type": "account", "limits": limits(bytes) });
            format!("{name}: \"{}\"", token(&self.key, &name, claims))
        });
        format!(
            "operator: \"{operator}\"\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{ {} }}\n",
            self.system.public_key(),
            accounts.join(", ")
        )
    }

    /// The content of a new user's `.creds` file.
    ///
    /// # Panics
    /// Never: a key that was made can be written.
    pub fn user(&self) -> String {
        let user = KeyPair::new_user();
        let claims = json!({ "type": "user", "subs": -1, "data": -1, "payload": -1 });
        let token = token(&self.account, &user.public_key(), claims);
        let seed = user.seed().expect("it was made here");
        format!(
            "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }
}

/// What `issuer` says of whoever has the key `subject`.
fn token(issuer: &KeyPair, subject: &str, mut claims: Value) -> String {
    claims["version"] = 2.into();
    let head = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let body = json!({
        "jti": subject, "iat": 1_700_000_000, "iss": issuer.public_key(), "sub": subject,
        "name": "egret", "nats": claims,
    });
    let written = [head, body].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let signature = issuer.sign(written.as_bytes()).expect("it has the private half");
    format!("{written}.{}", URL_SAFE_NO_PAD.encode(signature))
}
