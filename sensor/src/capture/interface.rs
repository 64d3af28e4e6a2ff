//! stub
/// x
pub fn names() -> Vec<String> {
    Vec::new()
}
/// x
pub fn index(_name: &str) -> Option<u32> {
    None
}
/// x
pub fn name(_index: u32) -> Option<String> {
    None
}
/// x
pub fn is_up(_name: &str) -> bool {
    false
}
/// x
pub fn lost(_name: &str) -> Option<u64> {
    None
}
