//! Changes of texts, of every kind that matters.

use testkit::Mutator;

type Lines = Vec<String>;
type Change = fn(&mut Lines, usize, &mut Mutator) -> Option<()>;

const KINDS: &[(&str, Change)] = &[
    ("drop a line", |lines, at, _| {
        lines.remove(at);
        Some(())
    }),
    ("repeat a line", |lines, at, _| {
        lines.insert(at, lines[at].clone());
        Some(())
    }),
    ("swap two lines", |lines, at, random| {
        let other = random.below(lines.len());
        lines.swap(at, other);
        Some(())
    }),
    ("turn a verdict", |lines, at, random| {
        turn(
            &mut lines[at],
            &[("policy drop", "policy accept"), (" drop", " accept")],
            random,
        )
    }),
    ("turn a direction", |lines, at, random| {
        turn(&mut lines[at], DIRECTIONS, random)
    }),
    ("change a family", |lines, at, random| {
        turn(&mut lines[at], FAMILIES, random)
    }),
    ("change a protocol", |lines, at, random| {
        turn(
            &mut lines[at],
            &[("tcp ", "udp "), ("dport", "sport")],
            random,
        )
    }),
    ("add an element", |lines, at, random| {
        let more = random.pick(ELEMENTS)?;
        let is_set = lines[at].contains("elements");
        is_set.then(|| lines[at] = lines[at].replacen("{ ", &format!("{{ {more}, "), 1))
    }),
    ("take an element", |lines, at, random| {
        let (start, list) = lines[at].split_once("elements = { ")?;
        let mut all: Vec<&str> = list.strip_suffix(" }")?.split(", ").collect();
        all.remove(random.below(all.len()));
        lines[at] = format!("{start}elements = {{ {} }}", all.join(", "));
        Some(())
    }),
    ("change a digit", |lines, at, random| {
        digit(&mut lines[at], random)
    }),
    ("take a match", |lines, at, random| {
        let part = random.pick(MATCHES)?;
        lines[at]
            .contains(part)
            .then(|| lines[at] = lines[at].replacen(part, "", 1))
    }),
    ("use another set", |lines, at, random| {
        let names = names(lines);
        let old = format!("@{} ", random.pick(&names)?);
        let new = format!("@{} ", random.pick(&names)?);
        lines[at]
            .contains(&old)
            .then(|| lines[at] = lines[at].replacen(&old, &new, 1))
    }),
    ("count elsewhere", |lines, at, random| {
        let counter = random.pick(&["dropped_input", "invalid_input", "in_ping", "out_names"])?;
        let (start, rest) = lines[at].split_once("counter name \"")?;
        let (_, end) = rest.split_once('"')?;
        lines[at] = format!("{start}counter name \"{counter}\"{end}");
        Some(())
    }),
    ("add a rule", |lines, at, random| {
        add(lines, at, RULES, random)
    }),
    ("add a block", |lines, _, random| {
        add(lines, lines.len() - 1, BLOCKS, random)
    }),
    ("add a statement", |lines, _, random| {
        add(lines, lines.len(), STATEMENTS, random)
    }),
    ("swap chains", |lines, _, _| {
        for line in lines {
            *line = match line.as_str() {
                "\tchain input_4 {" => "\tchain output_4 {".to_owned(),
                "\tchain output_4 {" => "\tchain input_4 {".to_owned(),
                other => other.to_owned(),
            };
        }
        Some(())
    }),
];

const DIRECTIONS: &[(&str, &str)] = &[
    ("saddr", "daddr"),
    ("input", "output"),
    ("iifname", "oifname"),
    ("forward", "input"),
];

const FAMILIES: &[(&str, &str)] = &[
    ("ip ", "ip6 "),
    ("icmp ", "icmpv6 "),
    ("ipv4_addr", "ipv6_addr"),
    ("_4", "_6"),
];

const ELEMENTS: &[&str] = &[
    "192.0.2.77",
    "0.0.0.0/0",
    "fd00:2::1",
    "10.0.0.0/30",
    "::/0",
    "10.0.2.1-10.0.2.2",
];

const MATCHES: &[&str] = &[
    "ct direction reply ",
    "ct state established ",
    "ct state invalid ",
    "ct state related ",
    "ip6 hoplimit 255 ",
    "iifname \"lo\" ",
    "oifname \"lo\" ",
    "delete table inet rampart",
    "ip6 saddr fe80::/10 ",
    " accept",
    " drop",
];

const RULES: &[&str] = &[
    "\t\taccept",
    "\t\ttcp dport 22 accept",
    "\t\tct state new accept",
    "\t\tdrop",
    "\t\tip saddr @self_4 accept",
    "\t\tcounter name \"dropped_input\"",
    "\t\tjump input_4",
];

const BLOCKS: &[&str] = &[
    "\tchain more {\n\t\ttype filter hook input priority -30; policy accept;\n\t\taccept\n\t}",
    "\tchain input_4 {\n\t\taccept\n\t}",
    "\tset self_4 {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 10.7.7.7 }\n\t}",
];

const STATEMENTS: &[&str] = &[
    "table inet other {",
    "flush ruleset",
    "add rule inet rampart input accept",
    "include \"/etc/x\"",
];

/// Changes a text, and says how; none when it does not fit the line that was drawn.
pub(crate) fn change(
    text: &str,
    kind: u64,
    random: &mut Mutator,
) -> Option<(&'static str, String)> {
    let mut lines: Lines = text.lines().map(str::to_owned).collect();
    let at = random.below(lines.len());
    let (name, change) = KINDS[usize::try_from(kind).unwrap() % KINDS.len()];
    change(&mut lines, at, random)?;
    let made = format!("{}\n", lines.join("\n"));
    (made != text).then_some((name, made))
}

/// One word for another, either way round.
fn turn(line: &mut String, pairs: &[(&str, &str)], random: &mut Mutator) -> Option<()> {
    let (a, b) = *random.pick(pairs)?;
    let (a, b) = if line.contains(a) { (a, b) } else { (b, a) };
    line.contains(a).then(|| *line = line.replacen(a, b, 1))
}

fn add(lines: &mut Lines, at: usize, all: &[&str], random: &mut Mutator) -> Option<()> {
    lines.insert(at, (*random.pick(all)?).to_owned());
    Some(())
}

fn digit(line: &mut String, random: &mut Mutator) -> Option<()> {
    let mut bytes: Vec<u8> = line.bytes().collect();
    let digits = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| byte.is_ascii_digit());
    let digits: Vec<usize> = digits.map(|(at, _)| at).collect();
    bytes[*random.pick(&digits)?] = b'0' + u8::try_from(random.below(10)).unwrap();
    *line = String::from_utf8(bytes).unwrap();
    Some(())
}

fn names(lines: &Lines) -> Vec<String> {
    let sets = lines
        .iter()
        .filter_map(|line| line.trim().strip_prefix("set "));
    sets.map(|set| set.trim_end_matches(" {").to_owned())
        .collect()
}
