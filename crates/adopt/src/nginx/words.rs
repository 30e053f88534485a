//! Directives that are told by their name alone.

use crate::limits::Beyond;

/// Directives that Rampart does not need, by the reason why.
const UNNEEDED: &[(&str, &[&str])] = &[
    (
        "Rampart runs its own processes, as `rampart serve` and its unit file say",
        &[
            "user",
            "pid",
            "daemon",
            "master_process",
            "worker_processes",
            "worker_rlimit_nofile",
            "worker_cpu_affinity",
            "worker_priority",
            "events",
            "worker_connections",
            "multi_accept",
            "use",
            "accept_mutex",
            "lock_file",
            "pcre_jit",
            "load_module",
            "worker_shutdown_timeout",
            "env",
            "thread_pool",
            "debug_connection",
            "timer_resolution",
        ],
    ),
    (
        "memory and system calls of nginx's own",
        &[
            "sendfile",
            "tcp_nopush",
            "tcp_nodelay",
            "aio",
            "directio",
            "output_buffers",
            "sendfile_max_chunk",
            "postpone_output",
            "reset_timedout_connection",
            "types_hash_max_size",
            "types_hash_bucket_size",
            "server_names_hash_bucket_size",
            "server_names_hash_max_size",
            "variables_hash_max_size",
            "variables_hash_bucket_size",
            "map_hash_bucket_size",
            "map_hash_max_size",
            "proxy_headers_hash_max_size",
            "proxy_headers_hash_bucket_size",
            "connection_pool_size",
            "request_pool_size",
            "client_body_temp_path",
            "proxy_temp_path",
            "fastcgi_temp_path",
            "uwsgi_temp_path",
            "scgi_temp_path",
            "open_file_cache",
            "open_file_cache_valid",
            "open_file_cache_min_uses",
            "open_file_cache_errors",
            "client_body_buffer_size",
            "proxy_busy_buffers_size",
            "proxy_temp_file_write_size",
            "proxy_max_temp_file_size",
            "proxy_buffers",
            "proxy_buffer_size",
            "client_header_buffer_size",
            "grpc_buffer_size",
        ],
    ),
    (
        "every request is in the traffic records, and every decision in the trail",
        &[
            "access_log",
            "error_log",
            "log_format",
            "log_not_found",
            "log_subrequest",
            "rewrite_log",
            "open_log_file_cache",
        ],
    ),
    (
        "TLS 1.2 and 1.3 with a fixed list of ciphers, HTTP/2 and name lookups are built in",
        &[
            "ssl_ciphers",
            "ssl_prefer_server_ciphers",
            "ssl_session_cache",
            "ssl_session_timeout",
            "ssl_session_tickets",
            "ssl_session_ticket_key",
            "ssl_dhparam",
            "ssl_ecdh_curve",
            "ssl_stapling",
            "ssl_stapling_verify",
            "ssl_trusted_certificate",
            "ssl_buffer_size",
            "ssl_early_data",
            "ssl_conf_command",
            "ssl_reject_handshake",
            "http2",
            "http2_max_concurrent_streams",
            "http3",
            "quic_retry",
            "resolver",
            "resolver_timeout",
            "ssl",
        ],
    ),
    (
        "requests are read strictly, and answers are passed on as the service made them",
        &[
            "server_tokens",
            "etag",
            "if_modified_since",
            "max_ranges",
            "chunked_transfer_encoding",
            "default_type",
            "types",
            "charset",
            "underscores_in_headers",
            "ignore_invalid_headers",
            "port_in_redirect",
            "absolute_redirect",
            "server_name_in_redirect",
            "merge_slashes",
            "large_client_header_buffers",
            "http2_max_field_size",
            "http2_max_header_size",
        ],
    ),
    (
        "slow clients are bounded by `[limits]`: `head_timeout`, `body_bytes_per_s_min`, `idle_timeout`",
        &[
            "keepalive_requests",
            "keepalive_disable",
            "keepalive_timeout",
            "lingering_close",
            "lingering_time",
            "lingering_timeout",
            "client_header_timeout",
            "client_body_timeout",
            "send_timeout",
            "keepalive_time",
        ],
    ),
    (
        "connections to services are pooled, answers are passed on piece by piece, names in TLS are always sent",
        &[
            "proxy_http_version",
            "proxy_buffering",
            "proxy_socket_keepalive",
            "proxy_redirect_off",
            "keepalive",
            "zone",
            "proxy_ssl_server_name",
            "proxy_ssl_session_reuse",
            "proxy_ssl_protocols",
            "proxy_ssl_ciphers",
            "proxy_pass_request_headers",
            "proxy_pass_request_body",
            "grpc_ssl_server_name",
            "proxy_next_upstream_timeout",
            "grpc_socket_keepalive",
            "proxy_ssl_verify_depth",
        ],
    ),
    (
        "`X-Forwarded-For` is read from its end, past every trusted proxy",
        &["real_ip_recursive"],
    ),
    (
        "it belongs to FastCGI or uwsgi, whose passing on is listed by itself",
        &[
            "fastcgi_buffers",
            "fastcgi_buffer_size",
            "fastcgi_param",
            "fastcgi_index",
            "fastcgi_read_timeout",
            "fastcgi_split_path_info",
            "uwsgi_param",
            "fastcgi_intercept_errors",
            "fastcgi_connect_timeout",
            "fastcgi_send_timeout",
            "fastcgi_hide_header",
            "fastcgi_buffering",
        ],
    ),
    (
        "it belongs to a directive that is carried or listed by itself",
        &[
            "limit_conn_zone",
            "limit_req_log_level",
            "limit_conn_log_level",
            "auth_request_set",
            "limit_req_dry_run",
            "limit_conn_dry_run",
            "limit_conn_status",
        ],
    ),
];

/// Why Rampart needs a directive not; nothing for one that it may need.
pub(super) fn unneeded(name: &str) -> Option<&'static str> {
    UNNEEDED
        .iter()
        .find(|(_, names)| names.contains(&name))
        .map(|(why, _)| *why)
}

/// Directives that are left: which, why, and what to do instead.
const LEFT: &[(&[&str], &str, &str)] = &[
    (
        &[
            "gzip",
            "gzip_types",
            "gzip_vary",
            "gzip_min_length",
            "gzip_comp_level",
            "gzip_proxied",
            "gzip_disable",
            "gzip_buffers",
            "gzip_http_version",
            "gzip_static",
            "gunzip",
            "brotli",
            "brotli_types",
            "brotli_comp_level",
        ],
        "Rampart compresses no answers",
        "let the service compress, or a cache in front",
    ),
    (
        &[
            "proxy_cache",
            "proxy_cache_path",
            "proxy_cache_valid",
            "proxy_cache_key",
            "proxy_cache_bypass",
            "proxy_no_cache",
            "proxy_cache_use_stale",
            "proxy_cache_lock",
            "proxy_cache_methods",
            "proxy_cache_revalidate",
            "proxy_cache_background_update",
            "proxy_cache_min_uses",
            "proxy_ignore_headers",
        ],
        "Rampart keeps no answers",
        "let the service, or a cache in front, keep them",
    ),
    (
        &[
            "expires",
            "add_header",
            "add_trailer",
            "proxy_hide_header",
            "proxy_pass_header",
            "more_set_headers",
            "more_clear_headers",
        ],
        "Rampart changes no headers of answers but its own (`security_headers`, `cors`)",
        "let the service set it",
    ),
    (
        &[
            "error_page",
            "recursive_error_pages",
            "proxy_intercept_errors",
        ],
        "refusals and failures are answered by Rampart's own short pages",
        "",
    ),
    (
        &[
            "root",
            "alias",
            "index",
            "autoindex",
            "try_files",
            "random_index",
            "empty_gif",
            "stub_status",
            "mp4",
            "flv",
            "dav_methods",
            "image_filter",
            "disable_symlinks",
        ],
        "Rampart serves no files and no pages of its own",
        "serve them by a service, and give it a route",
    ),
    (
        &[
            "rewrite",
            "if",
            "set",
            "map",
            "geo",
            "geoip_country",
            "geoip2",
            "split_clients",
            "break",
            "sub_filter",
            "sub_filter_once",
            "perl_set",
            "js_set",
            "js_content",
        ],
        "a route is chosen by host and path alone, and changes no more than a prefix",
        "let the service do it, or write routes by hand",
    ),
    (
        &["return"],
        "Rampart answers nothing in place of a service",
        "let a service answer",
    ),
    (
        &["proxy_set_header", "grpc_set_header"],
        "Rampart sends no headers of your choice to services",
        "set it in the service, or leave the credential to a later version of this route",
    ),
    (
        &[
            "proxy_redirect",
            "proxy_cookie_domain",
            "proxy_cookie_path",
            "proxy_cookie_flags",
        ],
        "answers of a service are not rewritten",
        "let the service know its public address",
    ),
    (
        &[
            "upstream",
            "limit_req_zone",
            "limit_req_status",
            "client_max_body_size",
            "proxy_connect_timeout",
            "proxy_read_timeout",
            "proxy_send_timeout",
            "grpc_connect_timeout",
            "grpc_read_timeout",
            "grpc_send_timeout",
            "proxy_next_upstream",
            "proxy_next_upstream_tries",
            "proxy_request_buffering",
            "proxy_ssl_name",
            "proxy_ssl_verify",
            "proxy_ssl_certificate",
            "proxy_ssl_certificate_key",
            "proxy_ssl_trusted_certificate",
            "set_real_ip_from",
            "real_ip_header",
        ],
        "no route that was carried over uses it",
        "",
    ),
    (
        &[
            "ssl_protocols",
            "ssl_certificate",
            "ssl_certificate_key",
            "ssl_client_certificate",
            "ssl_crl",
            "ssl_verify_depth",
        ],
        "no host that was carried over is served over TLS with it",
        "",
    ),
    (
        &["proxy_pass", "grpc_pass"],
        "nothing that was carried over leads here",
        "",
    ),
    (
        &["stream"],
        "Rampart is a gateway for HTTP",
        "leave it with nginx, on ports of its own",
    ),
    (
        &["mail"],
        "Rampart is a gateway for HTTP",
        "leave it with nginx",
    ),
    (
        &["mirror", "mirror_request_body"],
        "Rampart mirrors no requests",
        "",
    ),
    (
        &["limit_rate", "limit_rate_after"],
        Beyond::Bandwidth.why(),
        Beyond::Bandwidth.instead(),
    ),
    (
        &["include"],
        "the file was not read",
        "adopt it by itself, or put it there",
    ),
    (
        &["proxy_method", "proxy_set_body", "proxy_bind"],
        "requests are passed on as they came",
        "let the service do it",
    ),
];

/// Why a directive is left, and what to do instead.
pub(super) fn left(name: &str) -> (&'static str, &'static str) {
    LEFT.iter()
        .find(|(names, _, _)| names.contains(&name))
        .map_or(
            ("there is nothing like it in the estate", ""),
            |(_, why, instead)| (*why, *instead),
        )
}

/// Whether a directive that is left kept somebody out.
pub(super) fn guards(name: &str) -> bool {
    matches!(
        name,
        "allow"
            | "deny"
            | "auth_basic"
            | "auth_request"
            | "auth_jwt"
            | "ssl_verify_client"
            | "secure_link"
            | "valid_referers"
            | "limit_except"
            | "limit_req"
            | "limit_conn"
            | "internal"
            | "satisfy"
            | "modsecurity"
            | "modsecurity_rules_file"
            | "modsecurity_rules"
            | "geo"
    )
}
