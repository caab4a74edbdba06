//! Containers, platforms and delivery tools.

use super::{Args, Axis::*, Effect, Look, Move, PLAIN, Tool, Value, known};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        names: &["docker", "docker-compose", "podman", "nerdctl", "podman-compose"],
        place_word: "Docker context or host",
        place: &[DockerContext, DockerHost],
        flags: &[
            ("--context", DockerContext),
            ("--host", DockerHost),
            ("-H", DockerHost),
            ("-f", ComposeFile),
            ("--file", ComposeFile),
            ("--compose-file", ComposeFile),
            ("--env-file", VarFile),
        ],
        takes: "-c --compose-file -p --project-name --profile -e --env -v --volume --name -l --log-level --network --image --replicas -t --tag \
                --publish --mount --scale --config -w --workdir -u --user",
        vars: &[("DOCKER_CONTEXT", DockerContext), ("DOCKER_HOST", DockerHost)],
        changes: "compose up, compose down, compose restart, compose start, compose stop, compose rm, compose run, \
                  compose exec, compose kill, compose create, compose scale, up, down, restart, start, stop, rm, run, exec, \
                  kill, create, scale, update, stack deploy, stack rm, stack up, stack down, service, swarm, node, config create, \
                  config rm, secret, volume, network, container, system prune, rename, pause, unpause, cp, compose pause",
        reads: "ps, logs, inspect, stats, top, events, info, version, compose ps, compose logs, compose config, compose top, \
                compose ls, compose images, service ls, service ps, service logs, service inspect, stack ls, stack ps, \
                stack services, node ls, node ps, node inspect, images, image ls, container ls, container logs, container inspect, \
                network ls, volume ls, system df, port, history, config, secret ls, diff, wait, context ls, context inspect, context show",
        local: "build, buildx, pull, push, tag, login, logout, save, load, import, image, manifest, compose build, compose pull, \
                compose push, search, scan, scout, sbom, trust, context, builder, plugin, rmi",
        moves: &[Move { phrase: "context use", operand: Some(DockerContext), flags: &[] }],
        ..PLAIN
    },
    Tool {
        names: &["argocd"],
        place_word: "application or server",
        place: &[ArgocdServer, ArgocdApp],
        flags: &[
            ("--server", ArgocdServer),
            ("--argocd-context", ArgocdServer),
            ("--kube-context", KubeContext),
            ("--app", ArgocdApp),
        ],
        takes: "--revision --resource -l --selector --timeout -o --output --auth-token --config --prune-propagation-policy -p \
                --parameter --dest-namespace --dest-server --repo --path --project -N --app-namespace --helm-set --values",
        vars: &[("ARGOCD_SERVER", ArgocdServer)],
        changes: "app sync, app rollback, app set, app create, app delete, app patch, app unset, app actions run, app delete-resource, \
                  app terminate-op, app edit, app add-source, proj, repo, cluster, appset create, appset delete, app patch-resource",
        reads: "app get, app list, app diff, app history, app logs, app wait, app manifests, app resources, app actions list, \
                proj list, proj get, repo list, cluster list, cluster get, appset get, appset list, version, account",
        local: "login, logout, relogin, completion",
        operands: &[
            ("app sync", ArgocdApp),
            ("app rollback", ArgocdApp),
            ("app set", ArgocdApp),
            ("app create", ArgocdApp),
            ("app delete", ArgocdApp),
            ("app patch", ArgocdApp),
            ("app unset", ArgocdApp),
            ("app actions run", ArgocdApp),
            ("app terminate-op", ArgocdApp),
            ("app get", ArgocdApp),
            ("app diff", ArgocdApp),
            ("app history", ArgocdApp),
            ("app logs", ArgocdApp),
            ("app wait", ArgocdApp),
        ],
        moves: &[
            Move { phrase: "context", operand: Some(ArgocdServer), flags: &[] },
            Move { phrase: "login", operand: Some(ArgocdServer), flags: &[] },
        ],
        ..PLAIN
    },
    Tool {
        names: &["nomad", "consul", "vault", "waypoint", "levant", "boundary"],
        place_word: "address",
        place: &[NomadAddress],
        within: &[NomadNamespace],
        flags: &[("-address", NomadAddress), ("-namespace", NomadNamespace), ("-http-addr", NomadAddress)],
        takes: "-region -token -var -var-file -check-index -datacenter",
        vars: &[
            ("NOMAD_ADDR", NomadAddress),
            ("CONSUL_HTTP_ADDR", NomadAddress),
            ("VAULT_ADDR", NomadAddress),
            ("NOMAD_NAMESPACE", NomadNamespace),
        ],
        changes: "job run, job stop, job restart, job revert, job scale, job promote, job dispatch, run, stop, deploy, alloc stop, \
                  alloc restart, alloc exec, deployment promote, deployment fail, node drain, node eligibility, var put, kv put, kv delete, \
                  kv patch, write, delete, secrets, auth, policy, system gc, namespace apply, acl, operator, job start",
        reads: "job plan, plan, job status, status, job inspect, inspect, job history, alloc status, alloc logs, logs, node status, \
                deployment status, deployment list, server members, kv get, kv list, read, list, monitor, version, var get, members, \
                kv metadata get",
        local: "fmt, job validate, validate, login, init, render",
        ..PLAIN
    },
    Tool {
        names: &["heroku"],
        place_word: "app",
        place: &[HerokuApp],
        flags: &[("--app", HerokuApp), ("-a", HerokuApp), ("--remote", GitRemote), ("-r", GitRemote)],
        vars: &[("HEROKU_APP", HerokuApp)],
        changes: "ps:scale, ps:restart, ps:stop, ps:resize, ps:exec, config:set, config:unset, releases:rollback, rollback, run, \
                  run:detached, pg:*, addons:*, maintenance:*, container:release, pipelines:promote, builds:create, restart, scale, \
                  apps:destroy, features:*, domains:*, redis:*, certs:*, access:*, labs:*, deploy:*, buildpacks:*",
        reads: "ps, logs, releases, releases:info, config, config:get, info, apps, apps:info, status, pg:info, pg:ps, pg:locks, \
                pg:diagnose, pg:backups, pg:settings, addons, addons:info, domains, maintenance, certs, buildpacks, pipelines, \
                pipelines:info, pipelines:diff",
        local: "login, auth:*, container:login, container:push, plugins, plugins:*, git:*, update, local, autocomplete",
        ..PLAIN
    },
    Tool {
        names: &["flyctl", "fly"],
        place_word: "app",
        place: &[FlyApp, VarFile],
        flags: &[("--app", FlyApp), ("-a", FlyApp), ("--config", VarFile), ("-c", VarFile)],
        takes: "-i --image -r --region -e --env --strategy --dockerfile --vm-size -o --org --build-arg --ha -t",
        vars: &[("FLY_APP", FlyApp)],
        changes: "deploy, scale, secrets set, secrets unset, secrets import, secrets deploy, machine, machines, m, apps restart, \
                  apps destroy, restart, launch, volumes create, volumes destroy, volumes extend, postgres, pg, regions, ssh console, certs, \
                  ips, autoscale, destroy, console, sftp, suspend, resume, storage, mpg, redis, image update, consul",
        reads: "status, logs, info, releases, scale show, secrets list, machine list, machine status, machines list, apps list, volumes list, \
                checks, checks list, config show, history, image show, ips list, certs list, certs show, services list, m list, regions list",
        local: "auth, version, doctor, platform, config validate, config save, proxy, wireguard, open, dashboard, orgs, apps create",
        ..PLAIN
    },
    Tool {
        names: &["cf"],
        place_word: "space",
        place: &[CfSpace, CfApi],
        within: &[CfOrg],
        flags: &[("-s", CfSpace), ("-o", CfOrg), ("-a", CfApi)],
        takes: "-f -p -c -i -k -m -b -t -n -u --strategy --vars-file --var --hostname -d",
        vars: &[],
        changes: "push, p, restart, rs, restage, rg, start, st, stop, sp, scale, delete, d, set-env, se, unset-env, ue, map-route, \
                  unmap-route, bind-service, bs, unbind-service, us, create-*, delete-*, update-*, enable-*, disable-*, run-task, rt, \
                  rename, rollback, cancel-deployment, continue-deployment, ssh, copy-source, set-*, unset-*, bg-deploy, zero-downtime-push",
        reads: "apps, a, app, logs, events, env, e, services, s, service, routes, r, spaces, orgs, o, org, space, domains, revisions, \
                tasks, marketplace, m, version, get-health-check, buildpacks, stacks, curl",
        local: "logout, lo, auth, plugins, install-plugin, config, help, passwd",
        moves: &[
            Move { phrase: "target", operand: None, flags: &[] },
            Move { phrase: "t", operand: None, flags: &[] },
            Move { phrase: "login", operand: None, flags: &[] },
            Move { phrase: "l", operand: None, flags: &[] },
            Move { phrase: "api", operand: Some(CfApi), flags: &[] },
        ],
        ..PLAIN
    },
    Tool {
        names: &["ansible-playbook", "ansible", "ansible-pull"],
        place_word: "inventory",
        place: &[Inventory, InventoryLimit],
        flags: &[
            ("--inventory", Inventory),
            ("-i", Inventory),
            ("--inventory-file", Inventory),
            ("--limit", InventoryLimit),
            ("-l", InventoryLimit),
        ],
        takes: "-e --extra-vars -t --tags --skip-tags -u --user -m --module-name -a --args -f --forks --vault-password-file \
                --vault-id --private-key --key-file --start-at-task -M --module-path -c --connection -T --timeout --become-user -U -C",
        vars: &[("ANSIBLE_INVENTORY", Inventory)],
        dry: &["--check", "-C", "--syntax-check", "--list-hosts", "--list-tasks", "--list-tags"],
        otherwise: Effect::Changes,
        ..PLAIN
    },
    Tool {
        names: &[
            "cap", "fab", "kamal", "dokku", "vercel", "netlify", "wrangler", "firebase", "eas", "railway", "render",
            "dep",
        ],
        place_word: "environment",
        place: &[Stage, GcloudProject, Host],
        flags: &[
            ("--env", Stage),
            ("-e", Stage),
            ("--environment", Stage),
            ("--context", Stage),
            ("-d", Stage),
            ("--destination", Stage),
            ("--target", Stage),
            ("--project", GcloudProject),
            ("-P", GcloudProject),
            ("-H", Host),
            ("--hosts", Host),
        ],
        takes: "--token -t --scope --only --site -s --dir --message -m --profile --service --name",
        vars: &[("RAILS_ENV", Stage), ("CLOUDFLARE_ENV", Stage)],
        changes: "deploy, rollback, redeploy, remove, promote, publish, setup, up, down, restart, run, secret put, env, \
                  domains, alias, functions:*, hosting:*, submit, update, build:run, d1, kv, delete, rm, app, accessory, \
                  maintenance, live",
        reads: "logs, status, list, ls, inspect, tail, details, whoami, audit, app logs, app details, open, config",
        local: "build, dev, login, logout, init, link, pull, emulators:*, serve, version",
        look: Some(stage_words),
        ..PLAIN
    },
    Tool {
        names: &["git"],
        place_word: "remote and branch",
        place: &[GitRemote, GitBranch],
        takes: "-C -c --git-dir --work-tree -m -o --push-option --receive-pack --repo",
        changes: "push",
        reads: "ls-remote, push --dry-run",
        dry: &["--dry-run", "-n"],
        otherwise: Effect::Local,
        depth: 1,
        soft: true,
        look: Some(pushed),
        ..PLAIN
    },
];

/// `cap production deploy`, `vercel --prod`: the stage stands alone.
fn stage_words(args: &Args, look: &mut Look) {
    if args.has(&["--prod", "--production"]) {
        look.named.push((Stage, Value::Known("production".to_owned())));
    }
    // Capistrano's first word is the stage; a word that is a task has a verb's shape or a colon.
    if let (Some(stage), Some(task)) = (args.operand(0), args.operand(1))
        && (task.starts_with("deploy") || task.contains(':'))
        && !stage.contains(':')
    {
        look.named.push((Stage, Value::Known(stage.to_owned())));
    }
}

/// `git push REMOTE BRANCH`, `git push REMOTE HERE:THERE`.
fn pushed(args: &Args, look: &mut Look) {
    if args.operand(0) != Some("push") {
        return;
    }
    if let Some(remote) = args.operands.get(1) {
        look.named.push((GitRemote, remote.clone()));
    }
    for refspec in args.operands.iter().skip(2).take(8) {
        let branch = match known(refspec) {
            Some(text) => {
                let branch = text.rsplit(':').next().unwrap_or(text).trim_start_matches('+');
                Value::Known(branch.trim_start_matches("refs/heads/").to_owned())
            }
            None => refspec.clone(),
        };
        look.named.push((GitBranch, branch));
    }
}
