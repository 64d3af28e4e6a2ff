//! Real records, and what is expected of them: `logs/` below the folder that `EGRET_CORPUS` names.

use std::path::Path;

use super::*;

#[test]
fn real_records_are_those_that_were_expected() {
    let Some(folder) = std::env::var_os("EGRET_CORPUS") else {
        return eprintln!(
            "SKIPPED: set EGRET_CORPUS to a folder with logs/ in it to read real records"
        );
    };
    let logs = Path::new(&folder).join("logs");
    let text = |name| std::fs::read_to_string(logs.join(name)).unwrap();
    let expected: Value = serde_json::from_str(&text("expected.json")).unwrap();
    let file = "aws_cloudtrail_traffic_mirror.jsonl";
    let lines = text(file);
    let expected = expected[file]["records"].as_array().unwrap();
    assert_eq!(lines.lines().count(), expected.len());
    let mut changes = Vec::new();
    for (line, expected) in lines.lines().zip(expected) {
        let record: Value = serde_json::from_str(line).unwrap();
        let told = told(&record);
        assert_eq!(told.is_some(), expected["mirror_change"].as_bool().unwrap(), "{expected}");
        let Some(told) = told else { continue };
        assert!(told.time.is_some() && told.id.is_some(), "{expected}");
        let change = changed(Some(told));
        assert_eq!(&*change.call, expected["event"].as_str().unwrap());
        assert_eq!(change.failure.is_none(), expected["success"].as_bool().unwrap(), "{expected}");
        assert_eq!(change.from.as_deref(), expected["from"].as_str());
        let principal = change.principal.as_ref().unwrap();
        assert_eq!(principal.full.as_deref(), expected["principal"].as_str());
        assert!(principal.name.contains(":role/") && principal.by_console, "{principal:?}");
        changes.push(change);
    }
    let modified = changes.iter().find(|change| change.action == ChangeAction::Modify).unwrap();
    assert_eq!(modified.wire_id, Some(12_348_395), "a float");
    assert_eq!((modified.sources.len(), modified.targets.len()), (1, 1));
    let target = changes.iter().find(|change| change.object == MirrorObject::Target).unwrap();
    assert_eq!(target.targets.len(), 2, "its own id, and the interface's");
    let wide: Vec<_> = changes.iter().filter(|change| change.is_wide).collect();
    assert!(matches!(wide[..], [rule] if rule.object == MirrorObject::FilterRule));

    let shape: Value = serde_json::from_str(&text("gcp_audit_compute_patch.SHAPE.json")).unwrap();
    assert_eq!(super::told(&shape), None, "of another method");
    let record =
        with(&shape, "protoPayload.methodName", json!("v1.compute.packetMirrorings.patch"));
    let change = super::change(&record);
    assert!(change.principal.is_some_and(|who| who.by_console) && change.from.is_some());
    assert_eq!(change.failure, None);
}
