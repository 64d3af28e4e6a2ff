//! Logs of an estate, and what is told of them.

use std::collections::BTreeMap;

use crate::alert::{Alert, Severity};
use crate::config::{self, BusinessHours, Config, Role};
use crate::detect::Engine;
use crate::detect::tests::{DAY, HOUR, MONDAY, time};
use crate::event::{Basis, Claim, GuestOperation, Operation, Report, Reporter, Said, Service};

/// What logs of an estate say, and the config of its sensor.
#[derive(Clone)]
pub(super) struct Logs {
    pub(super) config: Config,
    pub(super) reports: Vec<Report>,
}

/// The last state of every alert, and the worst each ever was.
pub(super) type Told = Vec<(Alert, Severity)>;

impl Logs {
    pub(super) fn new(change: impl FnOnce(&mut config::GuestOperations)) -> Self {
        let mut config = Config::default();
        change(&mut config.guest_operations);
        for (name, role, address) in
            [("web-01.corp.example", Role::Guest, "10.1.0.3"), ("esxi-01", Role::Esxi, "10.0.0.11")]
        {
            config.assets.push(config::Asset {
                name: name.into(),
                role,
                addresses: vec![format!("{address}/32").parse().unwrap()],
                macs: Vec::new(),
                host: None,
            });
        }
        Self { config, reports: Vec::new() }
    }

    /// With business hours, expected accounts and virtual machines.
    pub(super) fn strict() -> Self {
        Self::new(|config| {
            config.accounts = vec!["svc-deploy@corp.example".to_owned()];
            config.vms = vec!["app-*".to_owned()];
            config.business_hours = BusinessHours::parse("Mon-Fri 07:00-19:00");
        })
    }

    pub(super) fn does(&mut self, at: u64, account: Option<&str>, vm: &str, operation: Operation) {
        self.says(at, account, vm, operation, false);
    }

    pub(super) fn says(
        &mut self,
        at: u64,
        account: Option<&str>,
        vm: &str,
        operation: Operation,
        no: bool,
    ) {
        let claim = |account: &str| Claim { account: account.into(), basis: Basis::Stated };
        let (service, host) = match account {
            Some(_) => (Service::Vpxd, "vcsa01"),
            None => (Service::Hostd, "esxi-01"),
        };
        let said = GuestOperation {
            operation,
            vm: Some(vm.into()),
            session: None,
            op_id: None,
            account: account.map(claim),
            client: account.map(|_| "10.20.0.5".parse().unwrap()),
            is_refused: no,
            event: None,
            also: Vec::new(),
        };
        self.reports.push(Report {
            time: time(at),
            stated: None,
            reporter: Reporter { service, host: Some(host.into()), peer: None },
            said: Said::GuestOperation(Box::new(said)),
        });
    }

    /// PowerCLI's `Invoke-VMScript`.
    pub(super) fn script(&mut self, at: u64, account: Option<&str>, vm: &str) {
        self.does(at, account, vm, Operation::CreateTemporaryFile);
        self.does(at, account, vm, Operation::StartProgram);
        for poll in 0..3 {
            self.does(at + 1 + poll * 5, account, vm, Operation::ListProcesses);
        }
        self.does(at + 12, account, vm, Operation::FileTransferFromGuest);
        self.does(at + 12, account, vm, Operation::DeleteFile);
    }

    /// Working days from the first Monday: every hour a script on each of `vms` machines, a little
    /// early or late, some of them refused once.
    pub(super) fn automation(&mut self, account: Option<&str>, days: u64, vms: u64) {
        for day in (0..days).filter(|day| day % 7 < 5) {
            for hour in 8..18 {
                let jitter = (day * 37 + hour * 101) % 240;
                for vm in 0..vms {
                    let at = MONDAY + day * DAY + hour * HOUR + jitter + vm * 35;
                    let name = format!("app-{vm:02}");
                    if (day + hour + vm) % 19 == 0 {
                        self.says(at, account, &name, Operation::StartProgram, true);
                    }
                    self.script(at + 2, account, &name);
                }
            }
        }
    }

    pub(super) fn run(&self) -> Told {
        self.run_with(&mut Engine::new(&self.config, None, None))
    }

    pub(super) fn run_with(&self, engine: &mut Engine) -> Told {
        let mut reports: Vec<&Report> = self.reports.iter().collect();
        reports.sort_by_key(|report| report.time);
        let mut told: BTreeMap<uuid::Uuid, (Alert, Severity)> = BTreeMap::new();
        let mut hear = |engine: &mut Engine| {
            for alert in engine.drain_alerts() {
                let worst = told.get(&alert.id).map_or(alert.severity, |(_, worst)| *worst);
                let worst = worst.max(alert.severity);
                told.insert(alert.id, (alert, worst));
            }
        };
        for report in reports {
            engine.report(report);
            hear(engine);
        }
        engine.finish();
        hear(engine);
        told.into_values().collect()
    }
}
