//! Signatures by which a receiver knows who sent an alert and that nobody changed it.
//!
//! Standard Webhooks, <https://github.com/standard-webhooks/standard-webhooks>: HMAC-SHA256 over
//! `id.timestamp.body`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::alert::Alert;
use crate::time::Timestamp;

/// What makes it the same message over all attempts: this state of this alert. Without dots.
pub(super) fn message_id(alert: &Alert) -> String {
    format!("{}-{}", alert.id, alert.count)
}

/// The value of `webhook-signature`: one signature a key, with blanks between.
pub(super) fn sign(keys: &[Vec<u8>], id: &str, time: Timestamp, body: &[u8]) -> String {
    let signatures = keys.iter().filter_map(|key| {
        // HMAC takes a key of any length; the error is of other users of its trait.
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(format!("{id}.{}.", time.as_secs()).as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the specification's own libraries test with.
    #[test]
    fn signs_as_the_specification_does() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let time = Timestamp::from_parts(1_614_265_330, 999_999_999);
        let signed = sign(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", time, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
