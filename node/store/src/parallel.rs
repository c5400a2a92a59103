//! Waiting for the disk on several threads at once.

use std::thread;

/// Does the work on several threads; what it gives comes in the order of the items.
pub(crate) fn for_each<T: Send, R: Send>(
    threads: usize,
    mut items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    if items.len() <= share {
        return items.into_iter().map(work).collect();
    }
    let mut shares = Vec::new();
    while !items.is_empty() {
        shares.push(items.split_off(items.len().saturating_sub(share)));
    }
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = shares
            .into_iter()
            .rev()
            .map(|share| scope.spawn(move || share.into_iter().map(work).collect::<Vec<R>>()))
            .collect();
        let done = running
            .into_iter()
            .flat_map(|thread| thread.join().expect("work does not panic"));
        done.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for threads in 0..6 {
            for count in 0..20 {
                let items: Vec<u32> = (0..count).collect();
                let expected: Vec<u32> = items.iter().map(|item| item * 2).collect();
                assert_eq!(for_each(threads, items, |item| item * 2), expected);
            }
        }
    }
}
