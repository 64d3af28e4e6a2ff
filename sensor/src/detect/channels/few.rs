//! Lists without repeats of at most so many, which stay short for nearly everybody: of tens of thousands
//! of assets a few fill one, so each takes memory by what is in it.

/// Adds what is not there yet; whether it was new, and had room.
pub(super) fn add<T: PartialEq>(list: &mut Vec<T>, value: T, most: usize) -> bool {
    let is_new = list.len() < most && !list.contains(&value);
    if is_new {
        list.push(value);
    }
    is_new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_and_what_has_no_room_is_not_added() {
        let mut list = Vec::new();
        let added: Vec<bool> = [1, 2, 1, 3, 4].map(|value| add(&mut list, value, 3)).into();
        assert_eq!((added, list), (vec![true, true, false, true, false], vec![1, 2, 3]));
    }
}
