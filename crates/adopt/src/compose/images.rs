//! What an image is, by its name.

/// What stands behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Keeps data: never put on the road.
    Store(&'static str),
    /// Passes requests on by itself.
    Proxy(&'static str),
    /// Anything else.
    Other,
}

const STORES: &[&str] = &[
    "postgres",
    "postgresql",
    "postgis",
    "timescaledb",
    "timescaledb-ha",
    "pgvector",
    "mysql",
    "mariadb",
    "percona",
    "mongo",
    "mongodb",
    "redis",
    "redis-stack",
    "valkey",
    "keydb",
    "dragonfly",
    "memcached",
    "rabbitmq",
    "kafka",
    "cp-kafka",
    "redpanda",
    "zookeeper",
    "nats",
    "mosquitto",
    "emqx",
    "elasticsearch",
    "opensearch",
    "clickhouse-server",
    "clickhouse",
    "cassandra",
    "scylla",
    "influxdb",
    "etcd",
    "couchdb",
    "neo4j",
    "cockroach",
    "mssql",
    "server",
    "pgbouncer",
    "vault",
    "consul",
];

const PROXIES: &[(&str, &str)] = &[
    ("nginx", "nginx"),
    ("nginx-proxy", "nginx"),
    ("nginx-unprivileged", "nginx"),
    ("openresty", "nginx"),
    ("caddy", "caddy"),
    ("traefik", "traefik"),
    ("haproxy", "haproxy"),
    ("envoy", "envoy"),
    ("kong", "kong"),
];

/// `docker.io/library/postgres:16-alpine` is a store.
pub(super) fn role(image: &str) -> Role {
    let image = image.split('@').next().unwrap_or(image);
    let base = image.rsplit('/').next().unwrap_or(image);
    let base = base.split(':').next().unwrap_or(base);
    // `mcr.microsoft.com/mssql/server` alone is called so.
    if base == "server" && !image.contains("mssql") {
        return Role::Other;
    }
    if let Some(known) = STORES.iter().find(|name| **name == base) {
        return Role::Store(known);
    }
    match PROXIES.iter().find(|(name, _)| *name == base) {
        Some((_, kind)) => Role::Proxy(kind),
        None => Role::Other,
    }
}

/// What is usually spoken at a port, where it is not HTTP.
pub(super) fn other_protocol(port: u16) -> Option<&'static str> {
    Some(match port {
        20 | 21 => "FTP",
        22 | 2222 => "SSH",
        25 | 465 | 587 | 1025 => "SMTP",
        53 => "DNS",
        110 | 143 | 993 | 995 => "mail",
        389 | 636 => "LDAP",
        1433 => "SQL Server",
        1883 | 8883 => "MQTT",
        2181 => "ZooKeeper",
        3306 => "MySQL",
        5432 | 6432 => "PostgreSQL",
        5672 => "AMQP",
        6379 => "Redis",
        5005 | 9229 => "a debugger",
        9042 => "Cassandra",
        9092 => "Kafka",
        11211 => "memcached",
        27017 => "MongoDB",
        _ => return None,
    })
}

/// Keys of a service that say nothing about who reaches it.
const CONTAINERS: &[&str] = &[
    "build",
    "command",
    "entrypoint",
    "container_name",
    "hostname",
    "domainname",
    "depends_on",
    "restart",
    "volumes",
    "volumes_from",
    "networks",
    "network_mode",
    "links",
    "external_links",
    "extra_hosts",
    "dns",
    "dns_search",
    "dns_opt",
    "user",
    "working_dir",
    "tty",
    "stdin_open",
    "init",
    "privileged",
    "cap_add",
    "cap_drop",
    "security_opt",
    "read_only",
    "tmpfs",
    "shm_size",
    "ulimits",
    "sysctls",
    "devices",
    "logging",
    "platform",
    "pull_policy",
    "profiles",
    "scale",
    "stop_grace_period",
    "stop_signal",
    "mem_limit",
    "mem_reservation",
    "memswap_limit",
    "cpus",
    "cpu_shares",
    "cpuset",
    "pids_limit",
    "ipc",
    "pid",
    "userns_mode",
    "isolation",
    "runtime",
    "gpus",
    "oom_kill_disable",
    "oom_score_adj",
    "group_add",
    "cgroup",
    "cgroup_parent",
    "annotations",
    "develop",
    "attach",
    "device_cgroup_rules",
    "storage_opt",
    "mac_address",
    "blkio_config",
    "credential_spec",
    "uts",
    "post_start",
    "pre_stop",
];

/// Whether a key of a service says nothing about who reaches it.
pub(super) fn is_about_containers(key: &str) -> bool {
    CONTAINERS.contains(&key) || key.starts_with("x-")
}
