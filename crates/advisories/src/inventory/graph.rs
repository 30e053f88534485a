//! What packages are used for, where a file says only who needs whom.

use crate::Usage;

/// Who needs whom, by number.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    edges: Vec<Vec<usize>>,
    roots: Vec<(usize, Usage)>,
}

impl Graph {
    pub(crate) fn of(count: usize) -> Self {
        Self {
            edges: vec![Vec::new(); count],
            roots: Vec::new(),
        }
    }

    pub(crate) fn need(&mut self, from: usize, to: usize) {
        if let Some(edges) = self.edges.get_mut(from) {
            edges.push(to);
        }
    }

    /// The project itself needs `to` for `usage`.
    pub(crate) fn root(&mut self, to: usize, usage: Usage) {
        self.roots.push((to, usage));
    }

    /// What each is used for: as whoever needs it, first what runs. What nobody needs, so that
    /// nothing says what it is for, counts as what runs.
    pub(crate) fn usages(&self) -> Vec<Usage> {
        let mut usages: Vec<Option<Usage>> = vec![None; self.edges.len()];
        for wanted in [Usage::Runtime, Usage::Optional, Usage::Development] {
            let roots = self.roots.iter().filter(|(_, usage)| *usage == wanted);
            let mut next: Vec<usize> = roots.map(|(to, _)| *to).collect();
            while let Some(at) = next.pop() {
                match usages.get_mut(at) {
                    Some(usage @ None) => *usage = Some(wanted),
                    _ => continue,
                }
                next.extend(self.edges.get(at).into_iter().flatten());
            }
        }
        usages
            .into_iter()
            .map(|usage| usage.unwrap_or(Usage::Runtime))
            .collect()
    }
}
