//! The same pairs of versions asked of the ecosystems' own tools.
//!
//! `RAMPART_VERSION_TOOLS=1` asks those that are installed (Debian's dpkg, rpm, ruby, php-cli,
//! php-composer-semver, nodejs with node-semver, a JDK with libmaven3-core-java; Python with
//! `packaging` before 22, which still has the older rule). Pairs are made of the fixtures by
//! mutation; where both take both versions, they agree, but for what is explained.

use std::cmp::Ordering;
use std::io::Write as _;
use std::process::{Command, Stdio};

use testkit::Mutator;

use super::fixtures::{folder, lines};
use super::order::ALPHABETS;
use crate::{Ecosystem, compare};

/// Pairs that each tool is asked about.
const PAIRS: usize = 6_000;

/// A tool: it reads a pair a line, and answers `<`, `=`, `>` or, where it takes one for no version,
/// `!`.
struct Tool {
    name: &'static str,
    ecosystem: Ecosystem,
    fixture: &'static str,
    program: &'static [&'static str],
    script: &'static str,
    /// Versions as they are published, of which every pair is asked, and nothing is explained.
    published: &'static [&'static str],
    /// Why a disagreement is none.
    explained: fn(&str, &str) -> Option<&'static str>,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "dpkg",
        ecosystem: Ecosystem::Debian,
        fixture: "debian",
        program: &["bash", "-c"],
        script: r#"while IFS=$'\t' read -r a b; do
            if ! dpkg --validate-version "$a" 2>/dev/null || ! dpkg --validate-version "$b" 2>/dev/null; then echo '!';
            elif dpkg --compare-versions "$a" lt "$b" 2>/dev/null; then echo '<';
            elif dpkg --compare-versions "$a" eq "$b" 2>/dev/null; then echo '='; else echo '>'; fi; done"#,
        published: &[
            "1.0-1",
            "1.0-1+b1",
            "1.0-1~deb12u1",
            "1.0-1+deb12u1",
            "1:1.0-1",
            "1.0~rc1-1",
            "1.0+dfsg-2",
            "1.0+git20200101.abc-1",
            "3.0.14-1~deb12u2",
            "2.36-9+deb12u7",
            "1.0-1ubuntu0.1",
            "1.0-1build2",
            "1.0-1.1",
            "7.88.1-10+deb12u5",
        ],
        explained: |_, _| None,
    },
    Tool {
        name: "rpm",
        ecosystem: Ecosystem::RedHat,
        fixture: "redhat",
        program: &["bash", "-c"],
        script: r#"f=$(mktemp); cat >"$f"; rpm --eval "%{lua:
            for l in io.lines('$f') do local a, b = l:match('([^\t]*)\t(.*)')
            local ok, r = pcall(rpm.vercmp, a, b)
            print(not ok and '!' or r < 0 and '<' or r > 0 and '>' or '=') end}" | fold -w1; rm -f "$f""#,
        published: &[
            "1.0-1.el9",
            "1.0-1.el9_2",
            "1.0-1.el9_2.1",
            "1:1.0-1.el9",
            "0:1.0-1.el9",
            "1.0-1.el8",
            "1.0-1.module+el9.4.0+23026+aaa2e3cb",
            "1.0~rc1-1",
            "1.0^git1-1",
            "3.0.7-27.el9",
            "3.0.7-6.el9_2",
            "1.0-10.el9",
            "1.0-2.el9",
        ],
        explained: |_, _| None,
    },
    Tool {
        name: "packaging",
        ecosystem: Ecosystem::PyPi,
        fixture: "pypi",
        program: &["python3", "-W", "ignore", "-c"],
        script: r#"
import sys
from packaging.version import parse
for line in sys.stdin:
    try:
        a, b = (parse(text) for text in line.rstrip("\n").split("\t"))
        print("<" if a < b else "=" if a == b else ">")
    except ValueError:
        print("!")"#,
        published: &[
            "1.0",
            "1.0.0",
            "1.0rc1",
            "1.0.post1",
            "1.0.dev3",
            "1.0a1.dev2",
            "2020.12.5",
            "1!0.1",
            "1.0+cu118",
            "1.0+cu118.1",
            "4.2.0b2",
            "4.2",
            "0.9.8-1",
            "1.0.0-alpha",
            "2004d",
            "1.0-SNAPSHOT",
            "3.0.0a",
            "0.1dev-r1716",
            "1.0_beta",
        ],
        explained: |_, _| None,
    },
    Tool {
        name: "Gem::Version",
        ecosystem: Ecosystem::RubyGems,
        fixture: "rubygems",
        program: &["ruby", "-e"],
        script: r#"
STDIN.each_line(chomp: true) do |line|
  a, b = line.split("\t", 2)
  if Gem::Version.correct?(a) && Gem::Version.correct?(b)
    puts({ -1 => "<", 0 => "=", 1 => ">" }[Gem::Version.new(a) <=> Gem::Version.new(b)])
  else
    puts "!"
  end
end"#,
        published: &[
            "1.0",
            "1.0.0",
            "1.0.0.rc1",
            "1.0.0.beta",
            "1.0.0.beta10",
            "1.0.0.pre.1",
            "7.0.8.1",
            "7.0.8",
            "1.15.6-java",
            "1.15.6",
            "0.0.0",
            "3.0.0.alpha.2",
            "2.3.0.rc.3",
            "1.0.a",
            "2.0.0-p1",
        ],
        explained: |_, _| None,
    },
    Tool {
        name: "composer/semver",
        ecosystem: Ecosystem::Packagist,
        fixture: "packagist",
        program: &["php", "-r"],
        script: r#"
require '/usr/share/php/Composer/Semver/autoload.php';
use Composer\Semver\{Comparator, VersionParser};
$parser = new VersionParser();
while (($line = fgets(STDIN)) !== false) {
    try {
        [$a, $b] = array_map(fn($t) => $parser->normalize($t), explode("\t", rtrim($line, "\n")));
        echo Comparator::lessThan($a, $b) ? '<' : (Comparator::equalTo($a, $b) ? '=' : '>'), "\n";
    } catch (\Throwable $e) { echo "!\n"; }
}"#,
        published: &[
            "v1.0.0",
            "1.0",
            "1.0.0",
            "2.0.0-RC1",
            "2.0",
            "2.0.0",
            "v2.0.0-beta2",
            "2.0.0-alpha1",
            "1.0.0-patch1",
            "1.0.0-p2",
            "8.5.0",
            "8.5.0-rc1",
            "10.0.0-beta10",
            "1.2.3.4",
            "1.2.3",
            "v5.4.46",
            "5.4.0-BETA1",
            "7.x",
            "1.0.0-dev",
        ],
        explained: |_, _| None,
    },
    Tool {
        name: "node-semver",
        ecosystem: Ecosystem::Npm,
        fixture: "semver",
        program: &["node", "-e"],
        script: r#"
const compare = require('/usr/share/nodejs/semver/functions/compare');
const valid = require('/usr/share/nodejs/semver/functions/valid');
const input = require('fs').readFileSync(0, 'utf8').split('\n').slice(0, -1);
for (const line of input) {
  const [a, b] = line.split('\t');
  console.log(valid(a) && valid(b) ? '<=>'[compare(a, b) + 1] : '!');
}"#,
        published: &[
            "1.0.0",
            "1.0.1",
            "1.0.0-rc.1",
            "1.0.0-rc.10",
            "1.0.0-alpha",
            "1.0.0-0",
            "1.0.0+build",
            "v2.0.0",
            "2.0.0-beta.1.2",
            "10.0.0",
            "9.9.9",
            "1.0.0-20200101",
            "1.0.0-x-y-z.1",
        ],
        explained: |_, _| None,
    },
    Tool {
        name: "ComparableVersion",
        ecosystem: Ecosystem::Maven,
        fixture: "maven",
        program: &["bash", "-c"],
        script: r#"d=$(mktemp -d); cat >"$d/pairs"; cat >"$d/Ask.java" <<'END'
import java.nio.file.*; import org.apache.maven.artifact.versioning.ComparableVersion;
class Ask { public static void main(String[] a) throws Exception { for (String l : Files.readAllLines(Path.of(a[0]))) {
  String[] p = l.split("\t", -1); int r = new ComparableVersion(p[0]).compareTo(new ComparableVersion(p[1]));
  System.out.println(r < 0 ? "<" : r > 0 ? ">" : "="); } } }
END
            java -cp /usr/share/java/maven3-artifact.jar:/usr/share/java/commons-lang3.jar "$d/Ask.java" "$d/pairs"; rm -rf "$d""#,
        published: &[
            "4.1.5.SP1",
            "4.1.5",
            "2.0.0.Final-redhat-1",
            "2.0.0.Final",
            "2.0.0.Final-redhat-00001",
            "2.0.1.Final",
            "3.0.0.M1",
            "3.0.0.M10",
            "3.0.0",
            "3.0.0.RC1",
            "9.4.11.v20180605",
            "9.4.11.v20190605",
            "9.4.11",
            "9.4.12.v20180830",
            "9.4.11.M0",
            "31.1-jre",
            "31.1-android",
            "31.1",
            "5.0.0.Alpha2",
            "5.0.0.CR1",
            "5.0.0.Beta1",
            "5.0.0.Final",
            "2.9.10.8",
            "2.9.10",
            "1.2.17.redhat-00001",
            "1.2.17",
            "1.0.0.RELEASE",
            "1.0.0.BUILD-SNAPSHOT",
            "1.0.0.M2",
            "1.0.0.RC2",
            "2.3.20-rc1",
            "20230227",
            "1.8.0_b12",
            "1.1.1b",
            "1.1.1",
            "3.2.0-jdk8",
            "2.13.4.2-jdk15on",
            "1.70",
            "2022.0.0-RC1",
        ],
        explained: maven,
    },
];

/// What Maven 3.8.7 reads otherwise than its specification says.
fn maven(a: &str, b: &str) -> Option<&'static str> {
    let either = |what: fn(&str) -> bool| what(a) || what(b);
    let wordy = |text: &str| !text.starts_with(|c: char| c.is_ascii_digit());
    let dotted = |text: &str| {
        let after = text.split('.').skip(1);
        after
            .filter_map(|part| part.chars().next())
            .any(|c| !c.is_ascii_digit() && c != '-')
    };
    // `--`, `-.`, `-0`, `-ga`, or such before a `-` or a word.
    let nothing = |text: &str| {
        let lower = text.to_ascii_lowercase();
        ["--", "-.", ".-", "..", "-0", "ga", "final", "release"]
            .iter()
            .any(|what| lower.contains(what))
    };
    if either(wordy) {
        return Some("Maven expects a number first, and compares a word there as after no `-`");
    }
    if either(dotted) {
        return Some("a word after `.` that is not last stands before numbers after `-` there");
    }
    either(nothing).then_some("a token that means nothing, in the middle, is kept there")
}

/// Pairs of versions of a fixture, changed a little.
fn pairs(tool: &Tool, folder: &std::path::Path) -> Vec<(String, String)> {
    let alphabet = ALPHABETS.iter().find(|(known, _)| *known == tool.ecosystem);
    let words: Vec<&[u8]> = alphabet
        .unwrap()
        .1
        .iter()
        .map(|word| word.as_bytes())
        .collect();
    let known: Vec<String> = lines(folder, tool.fixture)
        .into_iter()
        .flat_map(|(a, _, b)| [a, b])
        .collect();
    let mut mutator = Mutator::new(testkit::told("RAMPART_FUZZ_SEED").unwrap_or(1));
    let mut found: Vec<(String, String)> = Vec::new();
    for a in tool.published {
        let others = tool
            .published
            .iter()
            .map(|b| ((*a).to_owned(), (*b).to_owned()));
        found.extend(others.filter(|(a, b)| compare(tool.ecosystem, a, b).is_ok()));
    }
    let all = found.len() + PAIRS;
    while found.len() < all {
        let first = mutator.pick(&known).unwrap().clone();
        let second = match mutator.below(3) {
            0 => mutator.pick(&known).unwrap().clone(),
            _ => first.clone(),
        };
        let mut changed = |text: String, rounds: usize| {
            let mut bytes = text.into_bytes();
            for _ in 0..rounds {
                mutator.mutate(&mut bytes, &words);
            }
            let graphic = bytes.iter().all(u8::is_ascii_graphic) && !bytes.is_empty();
            graphic.then(|| String::from_utf8(bytes).unwrap())
        };
        let rounds = found.len() % 2;
        if let (Some(a), Some(b)) = (changed(first, rounds), changed(second, 1))
            // What only one of both takes is no pair; most of what mutation makes is none.
            && compare(tool.ecosystem, &a, &b).is_ok()
        {
            found.push((a, b));
        }
    }
    found
}

fn answers(tool: &Tool, pairs: &[(String, String)]) -> Option<Vec<char>> {
    let (program, arguments) = tool.program.split_first().unwrap();
    let mut child = Command::new(program)
        .args(arguments)
        .arg(tool.script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let input: String = pairs.iter().map(|(a, b)| format!("{a}\t{b}\n")).collect();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<char> = text
        .lines()
        .filter_map(|line| line.chars().next())
        .collect();
    (answers.len() == pairs.len()).then_some(answers)
}

#[test]
fn the_ecosystems_own_tools_agree() {
    if testkit::told("RAMPART_VERSION_TOOLS") != Some(1) {
        println!("skipped: RAMPART_VERSION_TOOLS=1 asks the ecosystems' own tools");
        return;
    }
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for tool in TOOLS {
        let pairs = pairs(tool, &folder);
        let Some(answers) = answers(tool, &pairs) else {
            println!("{}: not installed, or it failed", tool.name);
            continue;
        };
        let (mut agreed, mut refused, mut explained) = (0, 0, 0);
        let before = wrong.len();
        let is_published = |text: &String| tool.published.contains(&text.as_str());
        for ((a, b), answer) in pairs.iter().zip(answers) {
            let own = match compare(tool.ecosystem, a, b).unwrap() {
                Ordering::Less => '<',
                Ordering::Equal => '=',
                Ordering::Greater => '>',
            };
            if answer == '!' {
                refused += 1;
            } else if answer == own {
                agreed += 1;
            } else if !is_published(a) && (tool.explained)(a, b).is_some() {
                explained += 1;
            } else {
                wrong.push(format!("{}: `{a}` {answer} `{b}`, here {own}", tool.name));
            }
        }
        println!(
            "{}: {agreed} agree, {explained} differ as explained, {refused} it takes for no version, {} wrong",
            tool.name,
            wrong.len() - before
        );
        assert!(agreed > PAIRS / 4, "{} was hardly asked", tool.name);
    }
    assert!(
        wrong.is_empty(),
        "{} disagree:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
