//! Configurations of nginx and Caddy: those that the reader's own tests use, and some that need
//! addresses in groups.

/// Whose configuration it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Old {
    Nginx,
    Caddy,
}

/// A configuration of several files; the first is the one that is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) old: Old,
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Lines with these are left out: what cannot run here.
    pub(crate) without: &'static [&'static str],
    /// Texts that are others here.
    pub(crate) instead: &'static [(&'static str, &'static str)],
    /// What follows this is left out.
    pub(crate) until: Option<&'static str>,
    /// Which backends are one service, by their ports.
    pub(crate) service: fn(u16) -> u16,
}

const fn alone(port: u16) -> u16 {
    port
}

const fn by_tens(port: u16) -> u16 {
    port / 10
}

const PLAIN: Site = Site {
    old: Old::Nginx,
    files: &[],
    without: &[],
    instead: &[],
    until: None,
    service: alone,
};

pub(crate) const SERVICES: Site = Site {
    files: &[
        (
            "nginx.conf",
            include_str!("../../../../adopt/testdata/nginx/services/nginx.conf"),
        ),
        ("fastcgi_params", ""),
    ],
    ..PLAIN
};

pub(crate) const NODE: Site = Site {
    files: &[(
        "nginx.conf",
        include_str!("../../../../adopt/testdata/nginx/node/nginx.conf"),
    )],
    ..PLAIN
};

pub(crate) const DJANGO: Site = Site {
    files: &[
        (
            "nginx.conf",
            include_str!("../../../../adopt/testdata/nginx/django/nginx.conf"),
        ),
        (
            "proxy_params",
            include_str!("../../../../adopt/testdata/nginx/django/proxy_params"),
        ),
        (
            "sites-enabled/site",
            include_str!("../../../../adopt/testdata/nginx/django/sites-enabled/site"),
        ),
    ],
    without: &["/somewhere/else.conf"],
    ..PLAIN
};

pub(crate) const ODD: Site = Site {
    files: &[(
        "nginx.conf",
        include_str!("../../../../adopt/testdata/nginx/odd/nginx.conf"),
    )],
    without: &["location /self/", "some_module_directive", "sub_filter"],
    until: Some("\nstream {"),
    ..PLAIN
};

pub(crate) const RAILS: Site = Site {
    files: &[(
        "nginx.conf",
        include_str!("../../../../adopt/testdata/nginx/rails/nginx.conf"),
    )],
    without: &[
        "[::]",
        "user www-data",
        "worker_processes",
        "pid /run",
        "modules-enabled",
        "mime.types",
        "access_log",
    ],
    instead: &[
        (
            "/etc/letsencrypt/live/shop.example/fullchain.pem",
            "shop.example.pem",
        ),
        (
            "/etc/letsencrypt/live/shop.example/privkey.pem",
            "shop.example.key",
        ),
    ],
    ..PLAIN
};

pub(crate) const SOCKETS: Site = Site {
    files: &[(
        "nginx.conf",
        "
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
server {
    listen 80;
    server_name live.example;
    proxy_set_header Host $host;
    location / { proxy_pass http://127.0.0.1:4101; }
    location /live/ {
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_pass http://127.0.0.1:7777;
    }
}
",
    )],
    ..PLAIN
};

pub(crate) const BALANCED: Site = Site {
    files: &[(
        "nginx.conf",
        "
upstream pair { server 127.0.0.1:6010 weight=3; server 127.0.0.1:6011; }
upstream half { server 127.0.0.1:6666; server 127.0.0.1:6020; }
upstream spare { server 127.0.0.1:6030; server 127.0.0.1:6031 backup; }
upstream hashed { hash $http_x_tenant consistent; server 127.0.0.1:6040; server 127.0.0.1:6041; }
upstream dead { server 127.0.0.1:6666; }
server {
    listen 80;
    server_name lb.example;
    proxy_set_header Host $host;
    location /pair/ { proxy_pass http://pair; }
    location /half/ { proxy_pass http://half/; }
    location /spare/ { proxy_pass http://spare; }
    location /hashed/ { proxy_pass http://hashed; }
    location /dead/ { proxy_pass http://dead; }
    location /own/ { proxy_set_header Host $proxy_host; proxy_pass http://127.0.0.1:6050; }
}
",
    )],
    service: by_tens,
    ..PLAIN
};

pub(crate) const TLS: Site = Site {
    files: &[(
        "nginx.conf",
        "
server {
    listen 80;
    server_name one.example two.example;
    return 301 https://$host$request_uri;
}
server {
    listen 443 ssl;
    server_name one.example;
    ssl_certificate one.example.pem;
    ssl_certificate_key one.example.key;
    location / { proxy_pass http://127.0.0.1:4001; proxy_set_header Host $host; }
}
server {
    listen 443 ssl;
    server_name two.example;
    ssl_certificate two.example.pem;
    ssl_certificate_key two.example.key;
    location /v1/ { proxy_pass http://127.0.0.1:4002; proxy_set_header Host $host; }
}
",
    )],
    ..PLAIN
};

/// Port 8099 stands for the one it listens on.
pub(crate) const CADDY: Site = Site {
    old: Old::Caddy,
    files: &[(
        "Caddyfile",
        "
http://shop.example:8099 {
	@static path /assets/* /favicon.ico
	handle @static {
		root * /nowhere
		file_server
	}
	handle_path /api/* {
		reverse_proxy 127.0.0.1:7001
	}
	handle /api/raw/* {
		reverse_proxy 127.0.0.1:7011
	}
	handle /v1/* {
		uri strip_prefix /v1
		reverse_proxy /users/* 127.0.0.1:7002
		reverse_proxy 127.0.0.1:7003
	}
	basicauth /in/* {
		ops $2a$14$7GSmiede9tpLk7sUQFI0t.sPrY/eD8O5f2qH2rzR2knpBPh4djAvu
	}
	reverse_proxy /api2/v2/* 127.0.0.1:7004
	respond /api2/* 403
	respond /internal/* 404
	redir /old /new
	reverse_proxy 127.0.0.1:7005
}
http://other.example:8099 {
	route {
		reverse_proxy /x/* 127.0.0.1:7006
		reverse_proxy 127.0.0.1:7007
		reverse_proxy /x/z/* 127.0.0.1:7008
	}
}
http://closed.example:8099 {
	@out not remote_ip 10.0.0.0/8
	respond @out 403
	reverse_proxy 127.0.0.1:7009
}
http://few.example:8099 {
	@post method POST
	respond @post 405
	reverse_proxy /only/* 127.0.0.1:7010 127.0.0.1:6666 {
		header_up Host {upstream_hostport}
		lb_policy first
		lb_retries 2
	}
}
",
    )],
    ..PLAIN
};
