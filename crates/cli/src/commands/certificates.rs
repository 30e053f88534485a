//! `rampart certificates`: what handshakes are answered with, until when, and a new one now.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Session;
use crate::client::escape;
use crate::commands::{items, text_or};
use crate::output::Table;
use crate::{Exit, Failure};

/// `rampart certificates`.
#[derive(Clone, Debug, Subcommand)]
pub enum CertificatesCommand {
    /// List certificates: names, issuer, end, where they come from, and what went wrong last.
    List(ListArgs),
    /// Ask the authority for a new certificate of a host now.
    Renew(RenewArgs),
}

/// Arguments of `rampart certificates list`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  rampart certificates list\n  rampart certificates list --format jsonl"
)]
pub struct ListArgs {}

/// Arguments of `rampart certificates renew`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "EXAMPLES\n  rampart certificates renew shop.example")]
pub struct RenewArgs {
    /// A host of `[acme]`.
    #[arg(value_name = "HOST")]
    pub host: String,
}

pub(super) fn run(
    command: &CertificatesCommand,
    session: &mut Session<'_>,
) -> Result<Exit, Failure> {
    match command {
        CertificatesCommand::List(args) => list(args, session),
        CertificatesCommand::Renew(args) => renew(args, session),
    }
}

fn list(_: &ListArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let answer: Value = session.server()?.get("/gateway/certificates")?;
    let all = items(&answer, "certificates");
    session
        .printer
        .list("rampart.certificates.v1", "certificates", &all, || {
            let columns = ["names", "source", "issuer", "until", "renews", "error"];
            let mut table = Table::new(&columns);
            for certificate in &all {
                table.row(columns.map(|key| text_or(certificate, key, "-")));
            }
            table.render("no host needs a certificate")
        });
    Ok(Exit::Ok)
}

fn renew(args: &RenewArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let path = format!("/gateway/certificates/{}/renew", escape(&args.host));
    let _: Value = session.server()?.post(&path, &Value::Null)?;
    let said = json!({ "host": args.host });
    session
        .printer
        .document("rampart.certificate_renewal.v1", &said, || {
            format!(
                "a new certificate for `{}` is asked for; `rampart certificates list` says how it \
                 went\n",
                args.host
            )
        });
    Ok(Exit::Ok)
}
