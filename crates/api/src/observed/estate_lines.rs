//! Which steps of which routes only observe now, since when, and what to write so that they block.

use estate::{Estate, Route};
use model::{Context, Timestamp};

use crate::problem::Problem;
use crate::services::Services;
use crate::top::observing;

/// LIMIT: versions that are looked back.
const VERSIONS_MAX: u32 = 50;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lines {
    routes: Vec<(Route, usize)>,
    steps: Vec<Step>,
}

/// A step of a route that only observes now.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) route: String,
    pub(super) step: &'static str,
    /// Since when, and since which version; at least since then where there are too many versions.
    pub(super) since: Timestamp,
    pub(super) version: u64,
    pub(super) at_least: bool,
}

impl Lines {
    pub(super) async fn of(services: &Services) -> Result<Self, Problem> {
        let Some(current) = services.rollout.current() else {
            return Ok(Self::default());
        };
        let place = |route: &Route| {
            let span = route.spans.get("mode").copied().unwrap_or(route.span);
            span.position(&current.source).0
        };
        let routes = current.estate.routes.iter();
        let mut lines = Self {
            routes: routes
                .clone()
                .map(|one| (one.clone(), place(one)))
                .collect(),
            steps: routes
                .flat_map(|route| {
                    observing(route).into_iter().map(|step| Step {
                        route: route.name.clone(),
                        step,
                        since: current.applied_at,
                        version: current.number,
                        at_least: true,
                    })
                })
                .collect(),
        };
        lines.look_back(services, current.number).await?;
        Ok(lines)
    }

    /// Each version before, as long as a step observed in it.
    async fn look_back(&mut self, services: &Services, current: u64) -> Result<(), Problem> {
        // The report says since when, not what else a version held.
        let ctx = Context::system(&*services.clock, &*services.entropy);
        let versions = services.rollout.versions(&ctx, VERSIONS_MAX).await?;
        let is_all = versions.last().is_none_or(|oldest| oldest.number <= 1);
        for summary in versions.iter().filter(|one| one.number < current) {
            if self.steps.iter().all(|step| !step.at_least) {
                return Ok(());
            }
            let source = services.rollout.source(&ctx, summary.number).await?;
            let parsed = source.and_then(|text| Estate::parse(&text).ok());
            for step in self.steps.iter_mut().filter(|step| step.at_least) {
                let observed = parsed
                    .as_ref()
                    .is_some_and(|parsed| is_observing(&parsed.estate, step));
                if observed {
                    (step.since, step.version) = (summary.applied_at, summary.number);
                } else {
                    step.at_least = false;
                }
            }
        }
        for step in &mut self.steps {
            step.at_least &= !is_all;
        }
        Ok(())
    }

    /// Every step that only observes.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether a step of a route only observes now.
    pub(super) fn step(&self, route: &str, step: &str) -> Option<&Step> {
        let is_it = |one: &&Step| one.route == route && one.step == step;
        self.steps.iter().find(is_it)
    }

    /// Where the estate says so, and what to write there so that this step blocks.
    pub(super) fn blocking(&self, route: &str, step: &str) -> Option<(usize, String)> {
        let (route, line) = self.routes.iter().find(|(one, _)| one.name == route)?;
        let others: Vec<String> = observing(route)
            .into_iter()
            .filter(|one| *one != step)
            .map(|one| format!("{one} = \"observe\""))
            .collect();
        let text = if others.is_empty() {
            "mode = \"block\"".to_owned()
        } else {
            format!("mode = {{ {} }}", others.join(", "))
        };
        Some((*line, text))
    }
}

fn is_observing(estate: &Estate, step: &Step) -> bool {
    let route = estate.routes.iter().find(|one| one.name == step.route);
    route.is_some_and(|route| observing(route).contains(&step.step))
}
