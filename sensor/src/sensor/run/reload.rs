//! SIGHUP: the config is read again and taken over as a whole, or not at all.

use super::control::Running;
use super::detection;
use super::settings::{self, Stored};
use crate::config::Config;
use crate::config::file::ConfigError;
use crate::deliver::{self, Target};
use crate::http::HttpError;
use crate::intake::audit::follow::{PatternError, Patterns};
use crate::intake::listen::{self, ListenError, Prepared};
use crate::system::{host_name, now};

/// Why the config stays as it is.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    /// It is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The secrets of HTTP cannot be read.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The certificates of syslog cannot be read.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Audit files cannot be followed.
    #[error("intake.audit.files: {0}")]
    Files(#[from] PatternError),
}

impl Running {
    /// Reads the config again. What is wrong with it is said, and then nothing has changed.
    pub(super) fn reload(&mut self) {
        // Whoever rotates the event file says so by the same signal.
        let _ = self.detection.orders.send(detection::Order::Rotate);
        let read = self.settings.read(&host_name()).map_err(ReloadError::from);
        match read.and_then(|config| self.take_over(config)) {
            Ok(()) => {
                tracing::info!("the config was read again and is in effect");
                self.metrics.config_loaded(now());
                self.tell_reload(None);
            }
            Err(error) => {
                let text = error.to_string();
                text.lines().for_each(|line| tracing::error!("{line}"));
                tracing::error!("the config was not taken over; the one before stays in effect");
                self.metrics.config_reload_successful.set(0);
                self.tell_reload(Some(text));
            }
        }
    }

    /// Takes over what other commands have stored: approvals, imported assets, and what alerts were found
    /// to be.
    pub(super) fn take_stored(&mut self, stored: Stored) {
        if stored.verdicts != self.stored.verdicts {
            let verdicts = stored.verdicts.clone();
            let _ = self.detection.orders.send(detection::Order::Judge(verdicts));
        }
        let is_other = !stored.is_same_config(&self.stored);
        self.stored = stored;
        if is_other {
            self.reconfigure();
            tracing::info!("what was approved or imported is in effect");
        }
    }

    fn take_over(&mut self, mut config: Config) -> Result<(), ReloadError> {
        // All that can fail comes first.
        let fixed = settings::keep_fixed(&self.config, &mut config);
        let http = self.http.prepare(&config.http, &config.intake.audit)?;
        let syslog = listen::Access::prepare(&config.intake.syslog)?;
        let files = Patterns::new(&config.intake.audit.files)?;
        for key in fixed {
            tracing::warn!("{key} differs from what the sensor runs with; restart it for that");
        }
        self.config = config;
        self.http.apply(http);
        let exporters = Prepared::only(&self.config.intake.flows.allow);
        self.intake.apply(syslog, exporters, files);
        let (deliver, base) = (&self.config.deliver, self.config.http.url.as_ref());
        let targets = deliver::within(self.fleet.as_ref(), deliver, base);
        self.keeper.subscribe(targets.iter().map(Target::subscription).collect());
        self.deliver.reconfigure(targets);
        self.reconfigure();
        Ok(())
    }

    fn reconfigure(&self) {
        let config = Box::new(self.stored.under(self.config.clone()));
        // Detection that has ended is noticed by its pulse.
        let _ = self.detection.orders.send(detection::Order::Reconfigure(config));
    }

    fn tell_reload(&self, error: Option<String>) {
        if let Ok(mut status) = self.status.write() {
            status.sensor.clone_from(&self.config.sensor.name);
            status.reload_error = error;
        }
    }
}
