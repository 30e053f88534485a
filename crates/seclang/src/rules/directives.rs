//! Directives besides rules: settings, markers, exclusions, and what has no effect here.

use super::load::{Defaults, Item, Loader, Update, quoted};
use crate::bytes::{count, number, split_once, trim};
use crate::place::{Bad, Place, did_you_mean};
use crate::settings::{EngineMode, LimitAction, Switch};
use crate::text::actions::Disruptive;
use crate::text::ctl::{Which, ids};
use crate::text::targets;
use crate::transform::unicode_map::UnicodeMap;

/// Directives that have a meaning here.
const NAMES: &[&str] = &[
    "Include",
    "SecAction",
    "SecArgumentSeparator",
    "SecArgumentsLimit",
    "SecComponentSignature",
    "SecCookieFormat",
    "SecCookieV0Separator",
    "SecDefaultAction",
    "SecMarker",
    "SecParseXmlIntoArgs",
    "SecRequestBodyAccess",
    "SecRequestBodyJsonDepthLimit",
    "SecRequestBodyLimit",
    "SecRequestBodyLimitAction",
    "SecRequestBodyNoFilesLimit",
    "SecResponseBodyAccess",
    "SecResponseBodyLimit",
    "SecResponseBodyLimitAction",
    "SecResponseBodyMimeType",
    "SecResponseBodyMimeTypesClear",
    "SecRule",
    "SecRuleEngine",
    "SecRuleRemoveById",
    "SecRuleRemoveByMsg",
    "SecRuleRemoveByTag",
    "SecRuleUpdateActionById",
    "SecRuleUpdateTargetById",
    "SecRuleUpdateTargetByMsg",
    "SecRuleUpdateTargetByTag",
    "SecUnicodeMapFile",
    "SecUploadFileLimit",
    "SecWebAppId",
];

/// Directives about logs, files and processes of another program: accepted, with a note.
const IDLE: &[&str] = &[
    "SecAuditEngine",
    "SecAuditLog",
    "SecAuditLog2",
    "SecAuditLogDirMode",
    "SecAuditLogFileMode",
    "SecAuditLogFormat",
    "SecAuditLogParts",
    "SecAuditLogPrefix",
    "SecAuditLogRelevantStatus",
    "SecAuditLogStorageDir",
    "SecAuditLogType",
    "SecCacheTransformations",
    "SecChrootDir",
    "SecCollectionTimeout",
    "SecConnEngine",
    "SecConnReadStateLimit",
    "SecConnWriteStateLimit",
    "SecContentInjection",
    "SecDataDir",
    "SecDebugLog",
    "SecDebugLogLevel",
    "SecDisableBackendCompression",
    "SecGuardianLog",
    "SecHashEngine",
    "SecHashKey",
    "SecHashMethodPm",
    "SecHashMethodRx",
    "SecHashParam",
    "SecHttpBlKey",
    "SecInterceptOnError",
    "SecPcreMatchLimit",
    "SecPcreMatchLimitRecursion",
    "SecReadStateLimit",
    "SecRequestBodyInMemoryLimit",
    "SecRulePerfTime",
    "SecSensorId",
    "SecServerSignature",
    "SecStatusEngine",
    "SecStreamInBodyInspection",
    "SecStreamOutBodyInspection",
    "SecTmpDir",
    "SecTmpSaveUploadedFiles",
    "SecUploadDir",
    "SecUploadFileMode",
    "SecUploadKeepFiles",
    "SecWriteStateLimit",
    "SecXmlExternalEntity",
];

/// Directives that rules would rely on and this engine does not have, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("SecGeoLookupDb", "there is no database of places"),
    ("SecGsbLookupDb", "there is no database of unsafe addresses"),
    ("SecRemoteRules", "rules are not fetched"),
    ("SecRemoteRulesFailAction", "rules are not fetched"),
    (
        "SecRuleInheritance",
        "there is one set of rules, without contexts",
    ),
    ("SecRuleScript", "it runs a program"),
];

impl Loader<'_> {
    pub(super) fn other(
        &mut self,
        name: &str,
        arguments: &[&[u8]],
        place: &Place,
    ) -> Result<(), Bad> {
        let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(name));
        if let Some(known) = known.copied() {
            return self.known(known, arguments, place).map_err(|bad| Bad {
                message: format!("`{known}`: {}", bad.message),
                hint: bad.hint,
            });
        }
        if let Some(idle) = IDLE.iter().find(|idle| idle.eq_ignore_ascii_case(name)) {
            self.note(place, format!("`{idle}` has no effect here"));
            return Ok(());
        }
        if let Some((known, why)) = ELSEWHERE
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            return Err(Bad::new(format!("`{known}` is not supported: {why}")));
        }
        Err(Bad::new(format!("there is no directive `{name}`"))
            .hint(did_you_mean(name, NAMES.iter().chain(IDLE).copied())))
    }

    fn known(&mut self, name: &str, arguments: &[&[u8]], place: &Place) -> Result<(), Bad> {
        let one = || match arguments {
            [one] => Ok(trim(one)),
            _ => Err(Bad::new(format!(
                "{} arguments instead of one",
                arguments.len()
            ))),
        };
        match name {
            "Include" => {
                let pattern = String::from_utf8_lossy(one()?).into_owned();
                return self.included(&place.file, &pattern);
            }
            "SecMarker" => self.items.push(Item::Marker(one()?.into())),
            "SecDefaultAction" => return self.default_action(one()?, place),
            "SecRuleRemoveById" => {
                let which = Which::Ids(ids(&arguments.join(&b' '))?);
                self.updates.push((place.clone(), Update::Remove(which)));
            }
            "SecRuleRemoveByTag" => {
                let update = Update::Remove(Which::Tag(one()?.into()));
                self.updates.push((place.clone(), update));
            }
            "SecRuleRemoveByMsg" => {
                let update = Update::Remove(Which::Message(one()?.into()));
                self.updates.push((place.clone(), update));
            }
            "SecRuleUpdateTargetById" => {
                return self.update_target(arguments, place, |which| Ok(Which::Ids(ids(which)?)));
            }
            "SecRuleUpdateTargetByTag" => {
                return self.update_target(arguments, place, |which| Ok(Which::Tag(which.into())));
            }
            "SecRuleUpdateTargetByMsg" => {
                return self
                    .update_target(arguments, place, |which| Ok(Which::Message(which.into())));
            }
            "SecRuleUpdateActionById" => return self.update_action(arguments, place),
            "SecUnicodeMapFile" => return self.unicode_map(arguments, place),
            "SecComponentSignature" => self.components.push(one()?.to_vec()),
            _ => return self.setting(name, arguments, one()),
        }
        Ok(())
    }

    fn setting(
        &mut self,
        name: &str,
        arguments: &[&[u8]],
        one: Result<&[u8], Bad>,
    ) -> Result<(), Bad> {
        let settings = &mut self.settings;
        match name {
            "SecResponseBodyMimeTypesClear" => settings.response_body_types.clear(),
            "SecResponseBodyMimeType" => {
                let types = arguments
                    .iter()
                    .flat_map(|argument| argument.split(|byte| *byte == b' '));
                let types = types.map(trim).filter(|one| !one.is_empty());
                settings.response_body_types = types.map(<[u8]>::to_ascii_lowercase).collect();
            }
            "SecRuleEngine" => settings.engine = EngineMode::parse(one?)?,
            "SecRequestBodyAccess" => settings.request_body_access = Switch::parse(one?)?,
            "SecResponseBodyAccess" => settings.response_body_access = Switch::parse(one?)?,
            "SecParseXmlIntoArgs" => settings.xml_into_args = Switch::parse(one?)?,
            "SecRequestBodyLimit" => settings.request_body_limit_bytes = count(one?)?,
            "SecRequestBodyNoFilesLimit" => {
                settings.request_body_no_files_limit_bytes = count(one?)?;
            }
            "SecRequestBodyLimitAction" => {
                settings.request_body_limit_action = LimitAction::parse(one?)?;
            }
            "SecRequestBodyJsonDepthLimit" => settings.depth_limit = count(one?)?,
            "SecArgumentsLimit" => settings.arguments_limit = count(one?)?,
            "SecUploadFileLimit" => settings.file_limit = count(one?)?,
            "SecResponseBodyLimit" => settings.response_body_limit_bytes = count(one?)?,
            "SecResponseBodyLimitAction" => {
                settings.response_body_limit_action = LimitAction::parse(one?)?;
            }
            "SecArgumentSeparator" => settings.argument_separator = single(one?)?,
            "SecCookieV0Separator" => settings.cookie_separator = single(one?)?,
            "SecWebAppId" => settings.web_app_id = one?.to_vec(),
            "SecCookieFormat" => {
                let text = one?;
                if text != b"0" {
                    return Err(Bad::new(format!(
                        "cookies of version {} are not read",
                        quoted(text)
                    ))
                    .hint("`SecCookieFormat 0`: no client sends version 1 any more"));
                }
            }
            _ => return Err(Bad::new("it is not supported")),
        }
        Ok(())
    }

    fn default_action(&mut self, text: &[u8], place: &Place) -> Result<(), Bad> {
        let actions = self.read_actions(text, place)?;
        let phase = actions
            .phase
            .ok_or_else(|| Bad::new("no `phase` is named"))?;
        if actions.only_own_transformations {
            return Err(Bad::new("`t:none` is no default")
                .hint("a rule that wants no transformation by default says it itself"));
        }
        let disruptive = match actions.disruptive {
            None | Some(Disruptive::Block) => {
                return Err(Bad::new("no disruptive action is named").hint("`pass` or `deny`"));
            }
            Some(disruptive) => disruptive,
        };
        let defaults = Defaults {
            disruptive,
            status: actions.status,
            log: actions.log.unwrap_or(true),
            audit: actions.audit.unwrap_or(true),
            transformations: actions.transformations,
        };
        if let Some(slot) = self.defaults.get_mut(usize::from(phase) - 1) {
            *slot = defaults;
        }
        Ok(())
    }

    fn update_target(
        &mut self,
        arguments: &[&[u8]],
        place: &Place,
        which: fn(&[u8]) -> Result<Which, Bad>,
    ) -> Result<(), Bad> {
        let (named, targets, replaced) = match arguments {
            [named, targets] => (named, targets, None),
            [named, targets, replaced] => (named, targets, Some(*replaced)),
            _ => return Err(Bad::new("it takes which rules, and targets")),
        };
        let targets = targets::parse(targets, &mut self.names)?;
        let replaced = replaced
            .map(|text| targets::parse(text, &mut self.names))
            .transpose()?;
        let update = Update::Targets(which(named)?, targets, replaced);
        self.updates.push((place.clone(), update));
        Ok(())
    }

    fn update_action(&mut self, arguments: &[&[u8]], place: &Place) -> Result<(), Bad> {
        let [id, actions] = arguments else {
            return Err(Bad::new("it takes an id, and actions"));
        };
        let link = split_once(id, b':').map(|(_, link)| number(link));
        if link.is_some_and(|link| link != 0) {
            return Err(Bad::new(
                "actions of a link within a chain cannot be changed",
            ));
        }
        let head = split_once(id, b':').map_or(*id, |(id, _)| id);
        let [(id, to)] = ids(head)?[..] else {
            return Err(Bad::new("one rule at a time"));
        };
        if id != to {
            return Err(Bad::new("one rule at a time"));
        }
        let actions = self.read_actions(actions, place)?;
        self.updates
            .push((place.clone(), Update::Actions(id, Box::new(actions))));
        Ok(())
    }

    fn unicode_map(&mut self, arguments: &[&[u8]], place: &Place) -> Result<(), Bad> {
        let [file, page] = arguments else {
            return Err(Bad::new("it takes a file, and the number of a code page"));
        };
        let file = String::from_utf8_lossy(file).into_owned();
        let page = String::from_utf8_lossy(page).into_owned();
        let text = self.files.read(&place.file, &file).map_err(Bad::new)?;
        self.settings.unicode = UnicodeMap::read(&text, page.trim())?;
        Ok(())
    }
}

fn single(text: &[u8]) -> Result<u8, Bad> {
    match text {
        [byte] => Ok(*byte),
        _ => Err(Bad::new(format!("{} is not one character", quoted(text)))),
    }
}
