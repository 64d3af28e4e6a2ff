//! Guest operations: their names in four spellings, and the sentences that tell of them.

use crate::event::{GuestOperation, Operation};

use super::name;

/// The sentence of hostd and vCenter (event `com.vmware.vc.guestOperations.GuestOperation`).
const DONE: (&str, &str) = ("Guest operation ", " performed on Virtual machine ");
/// That of `…GuestOperationAuthFailure`.
const REFUSED: (&str, &str) =
    ("Guest operation authentication failed for operation ", " on Virtual machine ");

/// Where the methods of guest operations are, in the object model of vSphere.
const MODEL: &str = "vim.vm.guest.";

/// Names that are not those of the API with or without the guest: methods of the alias manager,
/// and what ATT&CK calls `ListFilesInGuest`.
const OTHERWISE: [(&str, Operation); 7] = [
    ("AddAlias", Operation::AddAlias),
    ("RemoveAlias", Operation::RemoveAlias),
    ("RemoveAliasByCert", Operation::RemoveAliasByCertificate),
    ("ListAliases", Operation::ListAliases),
    ("ListMappedAliases", Operation::ListMappedAliases),
    ("ListFile", Operation::ListFiles),
    ("ListFileInGuest", Operation::ListFiles),
];

/// What an event's text tells of.
pub(super) fn of_event(text: &str) -> Option<GuestOperation> {
    let text = text.trim_end();
    let is_refused = text.starts_with(REFUSED.0);
    let (start, middle) = if is_refused { REFUSED } else { DONE };
    // The first: what follows it is the virtual machine's name, which may be anything. Without the
    // full stop it may be a machine with such a name that "… on HOST in DATACENTER is powered on".
    let (operation, vm) = text.strip_prefix(start)?.strip_suffix('.')?.split_once(middle)?;
    let mut operation = called(named(operation));
    operation.vm = (!vm.is_empty()).then(|| name(vm));
    operation.is_refused = is_refused;
    Some(operation)
}

/// A method, if it is one of guest operations: `vim.vm.guest.ProcessManager.startProgram`.
pub(super) fn of_method(method: &str) -> Option<GuestOperation> {
    let (_manager, method_name) = method.strip_prefix(MODEL)?.split_once('.')?;
    Some(called(match named(method_name) {
        Operation::Other(_) => Operation::Other(name(method)),
        known => known,
    }))
}

/// An operation of which nothing else is known.
fn called(operation: Operation) -> GuestOperation {
    GuestOperation {
        operation,
        vm: None,
        account: None,
        client: None,
        is_refused: false,
        event: None,
        session: None,
        op_id: None,
        also: Vec::new(),
    }
}

/// The operation with a name in any spelling: `Start Program`, `StartProgramInGuest`,
/// `startProgram`, `GuestOps.StartProgram`.
pub(super) fn named(written: &str) -> Operation {
    let short = written.strip_prefix("GuestOps.").unwrap_or(written);
    let of_api = |operation: &&Operation| {
        let name = operation.name();
        is_same(name, short)
            || name.strip_suffix("InGuest").is_some_and(|name| is_same(name, short))
    };
    if let Some(operation) = Operation::ALL.iter().find(of_api) {
        return operation.clone();
    }
    let otherwise = OTHERWISE.iter().find(|(name, _)| is_same(name, short));
    otherwise.map_or_else(|| Operation::Other(name(written)), |(_, operation)| operation.clone())
}

/// Whether two names are the same but for case and spaces.
fn is_same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| *byte != b' ').map(|byte| byte.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> Option<(Operation, Option<String>, bool)> {
        let said = of_event(text)?;
        Some((said.operation, said.vm.map(|vm| vm.to_string()), said.is_refused))
    }

    #[test]
    fn every_operation_is_known_in_every_spelling() {
        for operation in Operation::ALL {
            let api = operation.name();
            let short = api.strip_suffix("InGuest").unwrap_or(api);
            let method = match short.strip_prefix("InitiateFile") {
                Some(_) => short.to_owned(),
                None => short.replace("Guest", ""),
            };
            let mut words = String::new();
            for c in short.chars() {
                if c.is_uppercase() && !words.is_empty() {
                    words.push(' ');
                }
                words.push(c);
            }
            let mut camel = method.clone();
            camel[..1].make_ascii_lowercase();
            for written in [api, short, &method, &words, &format!("GuestOps.{short}")] {
                assert_eq!(named(written), operation, "{written}");
            }
            let method = format!("vim.vm.guest.AnyManager.{camel}");
            assert_eq!(of_method(&method).unwrap().operation, operation, "{method}");
        }
        assert_eq!(named("ListFileInGuest"), Operation::ListFiles);
        assert_eq!(named("Brew Coffee"), Operation::Other("Brew Coffee".into()));
        let unknown = of_method("vim.vm.guest.CoffeeManager.brew").unwrap().operation;
        assert_eq!(unknown, Operation::Other("vim.vm.guest.CoffeeManager.brew".into()));
        assert_eq!(of_method("vim.VirtualMachine.powerOn"), None);
    }

    #[test]
    fn names_of_virtual_machines_may_be_anything() {
        for vm in [
            "web01",
            "web 01. old",
            "x performed on Virtual machine y",
            "x] Event 5 : Guest operation Start Program performed on Virtual machine y",
            "it's \"quoted\"",
            "dot.",
        ] {
            let done = format!("Guest operation Start Program performed on Virtual machine {vm}.");
            assert_eq!(event(&done), Some((Operation::StartProgram, Some(vm.into()), false)));
            let refused = format!(
                "Guest operation authentication failed for operation List Files on Virtual machine {vm}."
            );
            assert_eq!(event(&refused), Some((Operation::ListFiles, Some(vm.into()), true)));
        }
    }

    #[test]
    fn a_text_that_only_holds_the_sentence_is_none() {
        for text in [
            "Cannot login Guest operation Start Program performed on Virtual machine x.",
            " Guest operation Start Program performed on Virtual machine x.",
            "Guest operation Start Program",
            "guest operation Start Program performed on Virtual machine x.",
            "Guest operation Start Program performed on Virtual machine x. on esx1 in DC is powered on",
            "",
        ] {
            assert_eq!(event(text), None, "{text}");
        }
    }
}
