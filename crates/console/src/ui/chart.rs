//! Charts as SVG, drawn by the server: no script, no inline style, a title and a description, and
//! the numbers themselves in a table beneath.

use askama::Template;
use askama::filters::HtmlSafe;

/// Points that are drawn at most; more are merged before they get here.
const POINTS_MAX: usize = 720;

/// A small line without axes: how a tile's number moved.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<svg class="chart spark" viewBox="0 0 200 28" preserveAspectRatio="none" role="img" aria-label="{{ label }}">{% if !line.is_empty() %}<path class="area{% if bad %} bad{% endif %}" d="{{ area }}"/><path class="line{% if bad %} bad{% endif %}" d="{{ line }}"/>{% endif %}</svg>"#
)]
pub(crate) struct Sparkline {
    label: String,
    line: String,
    area: String,
    bad: bool,
}

impl HtmlSafe for Sparkline {}

impl Sparkline {
    /// The values from old to new; `label` says in words what they are.
    pub(crate) fn new(label: impl Into<String>, values: &[f64]) -> Self {
        let (line, area) = paths(values, top(values), Plane::SPARK);
        Self {
            label: label.into(),
            line,
            area,
            bad: false,
        }
    }

    /// Draws in the colour of refusals.
    pub(crate) fn bad(mut self) -> Self {
        self.bad = true;
        self
    }
}

/// One line of a [`TimeChart`].
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// What it counts, for the legend and the table's head.
    pub(crate) name: &'static str,
    /// One value per time, old to new.
    pub(crate) values: Vec<f64>,
    /// Whether it counts something unwanted.
    pub(crate) bad: bool,
}

struct Drawn {
    name: &'static str,
    bad: bool,
    line: String,
    area: String,
}

/// Lines over time with axes and a table.
#[derive(Template)]
#[template(path = "components/time_chart.html")]
pub(crate) struct TimeChart {
    title: String,
    about: String,
    drawn: Vec<Drawn>,
    ticks_y: Vec<String>,
    ticks_x: Vec<String>,
    heads: Vec<&'static str>,
    rows: Vec<(String, Vec<String>)>,
    id: &'static str,
}

impl HtmlSafe for TimeChart {}

impl TimeChart {
    /// Series over the same `times` (labels, old to new). `id` is unique on its page.
    pub(crate) fn new(
        id: &'static str,
        title: impl Into<String>,
        times: &[String],
        series: &[Series],
    ) -> Self {
        let top = series.iter().map(|s| top(&s.values)).fold(1e-9, f64::max);
        let top = nice(top);
        let drawn = series
            .iter()
            .map(|s| {
                let (line, area) = paths(&s.values, top, Plane::TIME);
                Drawn {
                    name: s.name,
                    bad: s.bad,
                    line,
                    area,
                }
            })
            .collect();
        let peaks: Vec<_> = series
            .iter()
            .map(|s| {
                let peak = s.values.iter().copied().fold(0.0, f64::max);
                format!("{}: highest {}", s.name, number(peak))
            })
            .collect();
        Self {
            title: title.into(),
            about: peaks.join("; "),
            drawn,
            ticks_y: ticks_y(top),
            ticks_x: ticks_x(times),
            heads: series.iter().map(|s| s.name).collect(),
            rows: table(times, series),
            id,
        }
    }
}

/// Newest first, as a reader looks for "now".
fn table(times: &[String], series: &[Series]) -> Vec<(String, Vec<String>)> {
    times
        .iter()
        .enumerate()
        .rev()
        .map(|(i, time)| {
            let values = series
                .iter()
                .map(|s| s.values.get(i).map_or_else(String::new, |v| number(*v)))
                .collect();
            (time.clone(), values)
        })
        .collect()
}

/// From the top of the axis down.
fn ticks_y(top: f64) -> Vec<String> {
    [1.0, 0.5, 0.0]
        .iter()
        .map(|share| number(share * top))
        .collect()
}

fn ticks_x(times: &[String]) -> Vec<String> {
    let last = times.len().saturating_sub(1);
    let mut wanted = vec![0, last / 2, last];
    wanted.dedup();
    wanted
        .into_iter()
        .filter_map(|index| times.get(index).cloned())
        .collect()
}

/// One bar of a [`Bars`].
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    /// What is counted.
    pub(crate) name: String,
    /// The number behind the length.
    pub(crate) value: u64,
}

struct DrawnBar {
    name: String,
    value: String,
    width: String,
}

/// Horizontal bars with their names and numbers: the list is its own data table.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<ul class="bars">{% for bar in bars %}<li><span class="wrap">{{ bar.name }}</span><svg class="chart" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="8" rx="1"/><rect class="bar{% if bad %} bad{% endif %}" width="{{ bar.width }}" height="8" rx="1"/></svg><span class="num">{{ bar.value }}</span></li>{% endfor %}</ul>"#
)]
pub(crate) struct Bars {
    bars: Vec<DrawnBar>,
    bad: bool,
}

impl HtmlSafe for Bars {}

impl Bars {
    /// Bars of refusals, in the order given.
    pub(crate) fn bad(bars: &[Bar]) -> Self {
        let top = bars.iter().map(|b| b.value).max().unwrap_or(0).max(1);
        let bars = bars
            .iter()
            .map(|b| DrawnBar {
                name: b.name.clone(),
                value: super::count(b.value),
                width: coordinate(to_f64(b.value) / to_f64(top) * 100.0),
            })
            .collect();
        Self { bars, bad: true }
    }

    /// Whether there is anything to draw.
    pub(crate) fn is_empty(&self) -> bool {
        self.bars.is_empty()
    }
}

/// Counts above 2³² draw as full bars; nothing here needs more.
fn to_f64(value: u64) -> f64 {
    f64::from(u32::try_from(value).unwrap_or(u32::MAX))
}

#[derive(Clone, Copy)]
struct Plane {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Plane {
    const SPARK: Self = Self {
        left: 0.0,
        top: 1.0,
        width: 200.0,
        height: 26.0,
    };
    const TIME: Self = Self {
        left: 0.0,
        top: 8.0,
        width: 700.0,
        height: 144.0,
    };

    fn x(self, index: usize, of: usize) -> f64 {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let steps = u32::try_from(of.saturating_sub(1))
            .unwrap_or(u32::MAX)
            .max(1);
        self.left + self.width * f64::from(index) / f64::from(steps)
    }

    fn y(self, value: f64, top: f64) -> f64 {
        let share = (value / top).clamp(0.0, 1.0);
        self.top + self.height * (1.0 - share)
    }
}

fn top(values: &[f64]) -> f64 {
    values
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .fold(1e-9, f64::max)
}

fn paths(values: &[f64], top: f64, plane: Plane) -> (String, String) {
    let mut line = String::new();
    let shown = values.len().min(POINTS_MAX);
    if shown < 2 {
        return (String::new(), String::new());
    }
    for (i, value) in values.iter().take(shown).enumerate() {
        let value = if value.is_finite() { *value } else { 0.0 };
        let verb = if i == 0 { 'M' } else { 'L' };
        let (x, y) = (plane.x(i, shown), plane.y(value, top));
        line.push_str(&format!("{verb}{} {}", coordinate(x), coordinate(y)));
    }
    let floor = coordinate(plane.top + plane.height);
    let area = format!(
        "{line}L{} {floor}L{} {floor}Z",
        coordinate(plane.x(shown - 1, shown)),
        coordinate(plane.left)
    );
    (line, area)
}

fn coordinate(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The next of 1, 2, 5 times a power of ten: an axis that ends at a round number.
fn nice(top: f64) -> f64 {
    let power = 10f64.powf(top.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .iter()
        .map(|step| step * power)
        .find(|candidate| *candidate >= top)
        .unwrap_or(top)
}

fn number(value: f64) -> String {
    if value == 0.0 || value >= 10.0 {
        format!("{value:.0}")
    } else {
        coordinate(value)
    }
}
