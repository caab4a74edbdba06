//! AWS, Google Cloud and Azure, by their own rules of precedence.

use serde_json::Value as Json;

use super::{Around, ini, shown};
use crate::target::axis::Axis;

pub(super) fn look(around: &mut Around) {
    aws(around);
    gcloud(around);
    azure(around);
}

fn aws(around: &mut Around) {
    let config_path =
        around.env("AWS_CONFIG_FILE").map_or_else(|| around.home.join(".aws/config"), |path| around.path(&path));
    let keys_path = around
        .env("AWS_SHARED_CREDENTIALS_FILE")
        .map_or_else(|| around.home.join(".aws/credentials"), |path| around.path(&path));
    let config = around.text(&config_path).unwrap_or_default();
    let keys = around.text(&keys_path).unwrap_or_default();
    let section = |profile: &str| if profile == "default" { profile.to_owned() } else { format!("profile {profile}") };
    let setting = |profile: &str, key: &str| {
        ini::value(&config, &section(profile), key).or_else(|| ini::value(&keys, profile, key)).map(str::to_owned)
    };

    // The command line obeys AWS_DEFAULT_PROFILE first, the libraries AWS_PROFILE: if they differ, it depends.
    let (chosen, older) = (around.env("AWS_PROFILE"), around.env("AWS_DEFAULT_PROFILE"));
    let with_keys = around.env("AWS_ACCESS_KEY_ID").is_some() && around.env("AWS_VAULT").is_none();
    let has_default = ini::entries(&config).any(|(name, _, _)| name == "default")
        || ini::entries(&keys).any(|(name, _, _)| name == "default");
    let (profile, from) = match (&chosen, &older) {
        (Some(one), Some(other)) if one != other => {
            (Some(Err(format!("AWS_PROFILE is `{one}` and AWS_DEFAULT_PROFILE is `{other}`"))), "AWS_PROFILE")
        }
        (Some(one), _) => (Some(Ok(one.clone())), "AWS_PROFILE"),
        (None, Some(one)) => (Some(Ok(one.clone())), "AWS_DEFAULT_PROFILE"),
        (None, None) => match around.env("AWS_VAULT") {
            Some(vault) => (Some(Ok(vault)), "AWS_VAULT"),
            None => (has_default.then(|| Ok("default".to_owned())), ".aws/config"),
        },
    };
    if with_keys {
        let why = "AWS_ACCESS_KEY_ID is set and goes before any profile".to_owned();
        around.add(Axis::AwsProfile, "aws", Err(why.clone()), "AWS_ACCESS_KEY_ID");
        around.add(Axis::AwsAccount, "aws", Err(why), "AWS_ACCESS_KEY_ID");
    } else if let Some(profile) = &profile {
        around.add(Axis::AwsProfile, "aws", profile.clone(), from);
        let account = match profile {
            Ok(name) => account(name, &setting),
            Err(why) => Some(Err(why.clone())),
        };
        match account {
            Some(account) => around.add(Axis::AwsAccount, "aws", account, shown(&config_path)),
            None => around.add(
                Axis::AwsAccount,
                "aws",
                Err("the profile's settings do not say its account".to_owned()),
                shown(&config_path),
            ),
        }
    }
    let (region, default) = (around.env("AWS_REGION"), around.env("AWS_DEFAULT_REGION"));
    match (region, default, profile) {
        (Some(one), Some(other), _) if one != other => {
            around.add(
                Axis::AwsRegion,
                "aws",
                Err(format!("AWS_REGION is `{one}` and AWS_DEFAULT_REGION is `{other}`")),
                "AWS_REGION",
            );
        }
        (Some(region), _, _) => around.add(Axis::AwsRegion, "aws", Ok(region), "AWS_REGION"),
        (None, Some(region), _) => around.add(Axis::AwsRegion, "aws", Ok(region), "AWS_DEFAULT_REGION"),
        (None, None, Some(Ok(profile))) => {
            if let Some(region) = setting(&profile, "region") {
                around.add(Axis::AwsRegion, "aws", Ok(region), shown(&config_path));
            }
        }
        _ => {}
    }
}

/// The account of a profile: from single sign-on, from its role, or from the profile that it builds on.
fn account(profile: &str, setting: &impl Fn(&str, &str) -> Option<String>) -> Option<Result<String, String>> {
    if let Some(role) = setting(profile, "role_arn") {
        return role.split(':').nth(4).filter(|account| !account.is_empty()).map(|account| Ok(account.to_owned()));
    }
    setting(profile, "sso_account_id").or_else(|| setting(profile, "aws_account_id")).map(Ok)
}

fn gcloud(around: &mut Around) {
    let folder = around.folder("CLOUDSDK_CONFIG", ".config/gcloud");
    let active =
        around.text(&folder.join("active_config")).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let (name, from) = match (around.env("CLOUDSDK_ACTIVE_CONFIG_NAME"), active) {
        (Some(name), _) => (name, "CLOUDSDK_ACTIVE_CONFIG_NAME".to_owned()),
        (None, Some(name)) => (name, shown(&folder.join("active_config"))),
        (None, None) => ("default".to_owned(), shown(&folder)),
    };
    // A name is part of a path below; one that could leave the folder is none that gcloud allows.
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let path = folder.join("configurations").join(format!("config_{name}"));
    let text = if plain { around.text(&path) } else { None };
    if text.is_some() || from.starts_with("CLOUDSDK") {
        let value = if plain { Ok(name) } else { Err("its name is none that gcloud allows".to_owned()) };
        around.add(Axis::GcloudConfig, "gcloud", value, from);
    }
    let text = text.unwrap_or_default();
    for (axis, variable, section, key) in [
        (Axis::GcloudProject, "CLOUDSDK_CORE_PROJECT", "core", "project"),
        (Axis::GcloudAccount, "CLOUDSDK_CORE_ACCOUNT", "core", "account"),
        (Axis::GcloudRegion, "CLOUDSDK_COMPUTE_REGION", "compute", "region"),
        (Axis::GcloudRegion, "CLOUDSDK_COMPUTE_ZONE", "compute", "zone"),
    ] {
        if !around.add_env(axis, "gcloud", &[variable])
            && let Some(value) = ini::value(&text, section, key)
        {
            around.add(axis, "gcloud", Ok(value.to_owned()), shown(&path));
        }
    }
}

fn azure(around: &mut Around) {
    let path = around.folder("AZURE_CONFIG_DIR", ".azure").join("azureProfile.json");
    let Some(text) = around.file(&path) else { return };
    let profile: Result<Json, String> = text.and_then(|text| {
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| "is no JSON".to_owned())
    });
    match profile {
        Ok(profile) => {
            let subscriptions = profile["subscriptions"].as_array().map_or(&[][..], Vec::as_slice);
            let Some(chosen) = subscriptions.iter().find(|one| one["isDefault"] == Json::Bool(true)) else { return };
            let (name, id) = (chosen["name"].as_str(), chosen["id"].as_str());
            let Some(first) = name.or(id) else { return };
            around.add(Axis::AzureSubscription, "az", Ok(first.to_owned()), shown(&path));
            if let Some(seen) = around.seen.last_mut() {
                seen.also = id.map(str::to_owned);
            }
        }
        Err(why) => around.add(Axis::AzureSubscription, "az", Err(format!("{} {why}", shown(&path))), shown(&path)),
    }
}
