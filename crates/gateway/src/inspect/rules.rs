//! The rules: for each sort of attack a set of patterns over the value as that sort sees it.
//!
//! All patterns of a sort are tried together ([`PatternSet`]): most values lack what all of them need.

use seclang::PatternSet;

use super::{Category, Place, transform};

/// The compiled rules.
#[derive(Debug)]
pub(crate) struct Rules {
    sql: Patterns,
    xss: Patterns,
    traversal: Patterns,
    command: Patterns,
    template: Patterns,
    ssrf: Patterns,
}

#[derive(Debug)]
struct Patterns {
    set: PatternSet,
    names: Vec<&'static str>,
}

impl Patterns {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants, and a test compiles them"
    )]
    fn of(rules: &[(&'static str, &str)]) -> Self {
        let (names, patterns): (Vec<_>, Vec<_>) = rules.iter().copied().unzip();
        let set = PatternSet::new(&patterns).expect("every pattern is one");
        Self { set, names }
    }

    fn find(&self, value: &str) -> Option<&'static str> {
        let first = self.set.first_match(value)?;
        self.names.get(first).copied()
    }
}

impl Rules {
    /// The rules Rampart ships.
    pub(crate) fn built_in() -> Self {
        Self {
            sql: Patterns::of(SQL),
            xss: Patterns::of(XSS),
            traversal: Patterns::of(TRAVERSAL),
            command: Patterns::of(COMMAND),
            template: Patterns::of(TEMPLATE),
            ssrf: Patterns::of(SSRF),
        }
    }

    /// The first rule that a value matches.
    pub(super) fn find(&self, value: &str, place: Place) -> Option<(Category, &'static str)> {
        let lower = value.to_lowercase();
        let plain = |patterns: &Patterns, category| Some((category, patterns.find(&lower)?));
        plain(&self.traversal, Category::Traversal)
            .or_else(|| plain(&self.template, Category::Template))
            .or_else(|| plain(&self.ssrf, Category::Ssrf).filter(|_| place != Place::Header))
            .or_else(|| {
                let rendered = transform::rendered(value);
                Some((Category::Xss, self.xss.find(&rendered)?))
            })
            .or_else(|| {
                let squeezed = transform::squeezed(value);
                Some((Category::Sql, self.sql.find(&squeezed)?))
            })
            .or_else(|| plain(&self.command, Category::Command))
    }
}

/// Over squeezed values.
const SQL: &[(&str, &str)] = &[
    (
        "sql_injection.union_select",
        r"\bunion ?(?:all |distinct )?\(? ?select\b ?(?:[^a-z ]|null\b|all\b|distinct\b|[a-z_][a-z0-9_.]* ?[,(]|.* from )",
    ),
    (
        "sql_injection.tautology",
        r#"['"`)] ?\)* ?(?:or|and|\|\||&&|xor) ?\(* ?(?:not )?(?:['"`]?[a-z0-9_]*['"`]? ?\)* ?(?:=|<>|!=|<|>|like|rlike|regexp)+ ?['"`(]*[a-z0-9_]*|true\b|1\b ?(?:--|#|$))"#,
    ),
    (
        "sql_injection.numeric_tautology",
        r"^[-+]?[0-9]+ ?\)* ?(?:or|and|\|\||&&|xor) ?\(* ?(?:not )?(?:([0-9]+) ?(?:=|<|>|!=|<>) ?[0-9]+|true|exists ?\(|\(? ?select\b|sleep ?\()",
    ),
    (
        "sql_injection.comment_end",
        r#"^[^ ]{0,64}['"] ?\)* ?(?:(?:--|#|/\*)(?: |-|$)|; ?(?:--|#|$))"#,
    ),
    (
        "sql_injection.stacked",
        r#"(?:^|['"0-9)] ?);? ?; ?(?:drop (?:table|database|schema|view|index|user|role)|insert into|delete from|update [a-z0-9_."`]+ set|alter (?:table|user|role|database)|create (?:table|user|role|view|or replace)|truncate (?:table )?[a-z]|exec(?:ute)?[ (]|grant [a-z ]+ (?:on|to) |shutdown\b|copy [a-z_(])"#,
    ),
    (
        "sql_injection.delay",
        r#"\bsleep ?\( ?[0-9.]+ ?\)|\bpg_sleep(?:_for|_until)? ?\(|\bbenchmark ?\( ?[0-9]+ ?,|\bdbms_(?:lock\.sleep|pipe\.receive_message) ?\(|\brandomblob ?\( ?[0-9]+|\bwaitfor (?:delay|time) ?['"]"#,
    ),
    (
        "sql_injection.schema",
        r"\b(?:select|union|from|where|exists)\b.{0,200}\b(?:information_schema|sqlite_(?:master|schema|temp_master)|pg_catalog|pg_(?:user|shadow|tables|database|class)|mysql\.user|sys(?:objects|columns|databases)|all_tables|user_tables|v\$version)\b",
    ),
    // Behind a parenthesis or an operator a query has begun; elsewhere only what no sentence
    // goes on with.
    (
        "sql_injection.subquery",
        r#"[(=<>|&+] ?select\b [^;]{0,300}\bfrom\b [a-z_"`\[][a-z0-9_."`\]]* ?(?:where\b|limit\b|order by\b|group by\b|\)|--|#|;|union\b)"#,
    ),
    (
        "sql_injection.query",
        r#"(?:^|['"0-9),; ])select\b [^;]{0,300}\bfrom\b [a-z_"`\[][a-z0-9_."`\]]* ?(?:where\b [^;]{0,80}(?:[=<>]|\blike ?['"(%]|\bin ?\(|\bis (?:not )?null\b|\bbetween ?['"0-9])|limit ?[0-9]|(?:order|group) by [a-z0-9_."`]+ ?(?:asc\b|desc\b|limit\b|,|--|#|;)|(?:--|#|;) ?$|; ?(?:--|#|/\*|select\b|drop\b|insert\b|update\b|delete\b)|union (?:all |distinct )?\(? ?select\b)"#,
    ),
    (
        "sql_injection.function",
        r#"['"0-9)] ?(?:or|and|\|\||,|\+|=) ?\(? ?(?:extractvalue|updatexml|load_file|xp_cmdshell|sp_executesql|pg_read_file|lo_import|utl_http|char\(\d+\)|concat\(0x|group_concat\(|substr(?:ing)?\(|ascii\(|hex\()"#,
    ),
    (
        "sql_injection.into_file",
        r#"\binto (?:out|dump)file ?['"]|\bload_file ?\( ?['"0x]|\bxp_cmdshell\b ?['"(]"#,
    ),
    (
        "sql_injection.order_by",
        r#"['")] ?(?:order|group) by [0-9]+ ?(?:,|--|#|$)|^[0-9]+ (?:order|group) by [0-9]+"#,
    ),
    (
        "sql_injection.concatenation",
        r#"'\s?(?:\|\||\+)\s?\(? ?select\b|'\s?(?:\|\|) ?(?:'|[a-z_]+\()"#,
    ),
];

/// Over rendered values.
const XSS: &[(&str, &str)] = &[
    (
        "xss.script",
        r"<\s*/?\s*(?:[a-z]{1,10}:)?script(?:[\s/>]|$)",
    ),
    (
        "xss.handler",
        r#"<[^>]{0,400}[\s/'"]on[a-z]{3,24}\s*=|['"][\s/]*on(?:error|load|click|mouse[a-z]+|focus(?:in)?|blur|toggle|begin|end|pointer[a-z]+|animation[a-z]+|transition[a-z]+|key[a-z]+|change|input|submit)\s*=\s*['"a-z(`]"#,
    ),
    (
        "xss.javascript_address",
        r#"(?:^|=|["'(\s])\s*(?:j\s*a\s*v\s*a|v\s*b|l\s*i\s*v\s*e)\s*s\s*c\s*r\s*i\s*p\s*t\s*:\s*(?:[^\s]{0,200}[(`=\[]|//|%0a)"#,
    ),
    (
        "xss.data_address",
        r#"data\s*:\s*(?:text/html|image/svg\+xml|application/xhtml\+xml|text/xml)[^"'\s]{0,60}[,;]"#,
    ),
    (
        "xss.element",
        r#"<\s*(?:iframe|embed|object|applet|frameset|meta\s+http-equiv|base\s+href|link\s+[^>]{0,100}(?:stylesheet|import|href)|svg[\s/][^>]{0,200}(?:on|href)|math[\s/>]|template[\s/>]|isindex|marquee\s+on|style\s*>[^<]{0,100}(?:@import|expression|javascript))"#,
    ),
    ("xss.source_document", r"\bsrcdoc\s*="),
    (
        "xss.expression",
        r"(?:style\s*=[^>]{0,200}|:\s*)expression\s*\(|-moz-binding\s*:|behavior\s*:\s*url",
    ),
    (
        "xss.escape_of_string",
        r#"['"`]\s*[-+*/;,)}\]]+\s*(?:alert|prompt|confirm|eval|fetch|import|settimeout|setinterval|function|atob|document\.|window\.|location\.?|top\[|self\[|this\[)\s*[(.\[=`]"#,
    ),
    (
        "xss.document",
        r"\bdocument\s*\.\s*(?:cookie|write(?:ln)?\s*\(|location\s*=|domain\s*=)|\b(?:window|self|top|parent)\s*\.\s*location\s*=",
    ),
];

/// Over lower-cased, decoded values.
const TRAVERSAL: &[(&str, &str)] = &[
    (
        "path_traversal.dots",
        r"(?:^|[/\\=:;'\x22(])\.\.(?:[/\\]|%2f|%5c|;/|$)|\s\.\.[/\\]|[/\\]\.\.(?:[/\\;]|$)|\.{4,}[/\\]+",
    ),
    (
        "path_traversal.system_file",
        r"(?:^|[/\\:=])(?:etc[/\\]+(?:passwd|shadow|group|hosts|sudoers|ssh[/\\]|mysql[/\\]|nginx[/\\]|apache2?[/\\]|crontab|issue$)|proc[/\\]+(?:self|version|[0-9]+)(?:[/\\]|$)|windows[/\\]+(?:system32|win\.ini|system\.ini)|winnt[/\\]|boot\.ini$|root[/\\]+\.(?:ssh|bash)|var[/\\]+(?:log|run|lib)[/\\]+[a-z])",
    ),
    (
        "path_traversal.scheme",
        r"(?:^|[='\x22\s])(?:file|phar|zip|php|expect|jar|netdoc|compress\.zlib|glob|ogg)://+[a-z0-9./\\]",
    ),
    ("path_traversal.null", r"\x00"),
    (
        "path_traversal.overlong",
        r"%c0%ae|%c0%af|%e0%80%ae|%uff0e|%u2215|\u{ff0e}\u{ff0e}[/\\]",
    ),
];

/// Over lower-cased, decoded values.
const COMMAND: &[(&str, &str)] = &[
    (
        "command_injection.separator",
        r#"(?:^|[^a-z0-9&|;]|['"0-9a-z.)])(?:;|\|\|?|&&?|\n|\r)\s*(?:(?:/usr)?/s?bin/)?(?:cat\s+[/~.]|ls\s+-|ls\s*$|id\s*(?:$|[;|&])|whoami\b|uname\b(?:\s+-|\s*$)|wget\s+|curl\s+|nc\s+-|ncat\s|netcat\s|bash\s+-|bash\s*$|sh\s+-|zsh\s+-|python[23]?\s+-c|perl\s+-e|php\s+-r|ruby\s+-e|powershell\b|cmd(?:\.exe)?\s*/c|ping\s+-[cn]|nslookup\s|dig\s+[a-z@]|rm\s+-|chmod\s+[0-7+]|chown\s|kill\s+-|touch\s+/|echo\s+[^|;&]{1,100}>\s*/|sleep\s+[0-9]+\s*(?:$|[;|&#])|ifconfig\b|ipconfig\b|env\s*(?:$|[;|])|printenv\b|tftp\s|telnet\s|base64\s+-d|certutil\s|reboot\b|shutdown\s+[-/])"#,
    ),
    (
        "command_injection.substitution",
        r"\$\(\s*(?:/[a-z/]+|[a-z]+)(?:\s+[^)]{0,200}|\s*)\)|\$\{ifs\}|\$ifs\b|`\s*(?:cat|ls|id|whoami|uname|wget|curl|nc|bash|sh|python[23]?|perl|ping|sleep|echo|env|pwd|hostname|nslookup|dig|rm)\b[^`]{0,200}`|[<>]\(\s*(?:cat|ls|id|bash|sh|curl|wget)\b",
    ),
    (
        "command_injection.function",
        r"\(\)\s*\{\s*[^}]{0,40};\s*\}\s*;",
    ),
    (
        "command_injection.shell",
        r"(?:^|[\s;|&'\x22=])/(?:usr/)?bin/(?:ba|z|k|c|da)?sh\b|/dev/(?:tcp|udp)/|\bcmd\.exe\b\s*/",
    ),
];

/// Over lower-cased, decoded values.
const TEMPLATE: &[(&str, &str)] = &[
    (
        "template_injection.lookup",
        r"\$\{[^}]{0,60}(?:jndi|\$\{(?:lower|upper|env|sys|::-|base64)|(?:lower|upper):[a-z]\})",
    ),
    (
        "template_injection.expression",
        r"(?:\{\{|\$\{|#\{|<%=|\*\{|@\()\s*(?:[0-9]{1,6}\s*[*+\-]\s*['\x22]?[0-9]{1,6}|[^}%]{0,120}(?:__class__|__mro__|__subclasses__|__globals__|__import__|__init__|config\.|self\.|request\.|lipsum|cycler|joiner|getclass\s*\(|runtime\b|processbuilder|system\s*\(|exec\s*\(|popen\s*\(|constructor\b|range\.constructor|t\s*\(\s*java))",
    ),
    (
        "template_injection.python",
        r"\b__(?:class__|subclasses__|globals__|builtins__|import__\s*\()",
    ),
    (
        "template_injection.java",
        r"\bjava\.lang\.(?:runtime|processbuilder)\b|\bfreemarker\.template\.utility\.execute\b",
    ),
    (
        "template_injection.php",
        r"<\?(?:php\b|=)|\b(?:o|c):[0-9]{1,4}:\x22[a-z_\\][a-z0-9_\\]*\x22:[0-9]+:\{",
    ),
    (
        "template_injection.xml_entity",
        r"<!(?:doctype|entity)\s[^>]{0,300}(?:system|public|\[|%)",
    ),
];

/// Over lower-cased, decoded values.
const SSRF: &[(&str, &str)] = &[
    (
        "ssrf.metadata",
        r"(?:^|//|@|[=\s])(?:169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200|\[?fd00:ec2::254\]?|metadata\.google\.internal|metadata\.azure\.com|0xa9fea9fe|2852039166)(?:[:/?#]|$)",
    ),
    (
        "ssrf.scheme",
        r"(?:^|[=\s'\x22])(?:gopher|dict|ldaps?|tftp|sftp|netdoc)://",
    ),
];
