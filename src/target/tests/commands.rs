//! One line for each way that people name a target, or fail to.

use super::*;

/// Each line: a command, what is to be said. Several commands are parted by ` ⏎ `, their answers by spaces.
const CASES: &[(&str, &str)] = &[
    // kubectl and its kin
    ("kubectl apply -f config.yaml", "unnamed/critical"),
    ("kubectl --context prod-us -n checkout apply -f config.yaml", "here/pass"),
    ("kubectl apply -f config.yaml --context=prod-us --namespace=checkout", "here/pass"),
    ("kubectl --context prod-us apply -f config.yaml", "partly/caution"),
    ("kubectl --context prod-us -n monitoring apply -f config.yaml", "partly/caution"),
    ("kubectl --context staging-us apply -f config.yaml", "elsewhere:staging/critical"),
    ("kubectl --context prod-us -n checkout-staging apply -f x.yaml", "elsewhere:staging/critical"),
    ("kubectl --context=minikube apply -f config.yaml", "elsewhere:/critical"),
    ("kubectl --context $CONTEXT apply -f config.yaml", "cannot-tell/unknown"),
    ("kubectl --context=\"$CONTEXT\" apply -f config.yaml", "cannot-tell/unknown"),
    ("kubectl get pods", "unnamed/info"),
    ("kubectl --context staging-us get pods", "elsewhere:staging/caution"),
    ("kubectl rollout status deploy/checkout", "unnamed/info"),
    ("kubectl rollout restart deploy/checkout", "unnamed/critical"),
    ("kubectl apply -f x.yaml --dry-run=server", "unnamed/info"),
    ("kubectl apply -f x.yaml --dry-run=none", "unnamed/critical"),
    ("kubectl -ncheckout --context prod-eu delete pod x", "here/pass"),
    ("kubectl --cluster shop-prod -n payments scale deploy/x --replicas=3", "here/pass"),
    ("/usr/local/bin/kubectl apply -f x.yaml", "unnamed/critical"),
    ("sudo -E kubectl apply -f x.yaml", "unnamed/critical"),
    ("kustomize build overlays/prod | kubectl apply -f -", "unnamed/critical"),
    ("kustomize build overlays/prod | kubectl --context prod-us -n checkout apply -f -", "here/pass"),
    ("cat <<EOF | kubectl apply -f -\nkind: Pod\n  - kubectl delete\nEOF", "unnamed/critical"),
    ("kubectl apply -f <(helm template . )", "unnamed/critical"),
    ("kubectl delete pod $(kubectl get pods -o name)", "unnamed/info unnamed/critical"),
    ("xargs -n1 kubectl --context prod-us -n checkout delete pod", "here/pass"),
    ("kubectl config use-context prod-us ⏎ kubectl -n checkout apply -f x.yaml", "here/pass here/pass"),
    (
        "kubectl config use-context staging-us && kubectl -n checkout apply -f x",
        "elsewhere:staging/critical elsewhere:staging/critical",
    ),
    (
        "kubectl config use-context staging-us; kubectl --context prod-us -n checkout apply -f x",
        "elsewhere:staging/critical here/pass",
    ),
    ("kubectx prod-us ⏎ kubens checkout ⏎ kubectl apply -f x.yaml", "here/pass here/pass here/pass"),
    ("kubectx ⏎ kubectl apply -f x.yaml", "cannot-tell/unknown cannot-tell/unknown"),
    ("for c in prod-us prod-eu; do kubectl --context $c -n checkout apply -f x; done", "cannot-tell/unknown"),
    ("for c in prod-us; do kubectl --context $c -n checkout apply -f x; done", "here/pass"),
    ("CTX=prod-us ⏎ kubectl --context $CTX -n checkout apply -f x.yaml", "here/pass"),
    ("K=\"kubectl --context prod-us -n checkout\" ⏎ $K apply -f x.yaml", "here/pass"),
    (
        "if true; then kubectl config use-context prod-us; fi ⏎ kubectl -n checkout apply -f x",
        "here/pass cannot-tell/unknown",
    ),
    ("(kubectl config use-context prod-us) ⏎ kubectl -n checkout apply -f x", "here/pass here/pass"),
    ("(export HELM_KUBECONTEXT=prod-us) ⏎ helm upgrade checkout . -n checkout", "unnamed/critical"),
    ("helm upgrade checkout ./chart -f values.yaml", "unnamed/critical"),
    ("helm upgrade --install checkout ./chart --kube-context prod-us -n checkout", "here/pass"),
    ("HELM_KUBECONTEXT=prod-us helm -n checkout rollback checkout 3", "here/pass"),
    ("helm diff upgrade checkout .", "unnamed/info"),
    ("helm template .", ""),
    ("flux reconcile kustomization apps --context staging-us", "elsewhere:staging/critical"),
    ("k --context prod-us -n checkout rollout undo deploy/checkout", "here/pass"),
    ("kubectl argo rollouts promote checkout --context prod-us -n checkout", "here/pass"),
    (
        "gcloud container clusters get-credentials shop-prod --zone us-central1-a --project shop-prod-1 ⏎ kubectl -n checkout apply -f x",
        "here/pass here/pass",
    ),
    (
        "aws eks update-kubeconfig --name shop-prod --profile shop-prod --region us-east-1 ⏎ kubectl -n checkout apply -f x",
        "here/pass here/pass",
    ),
    (
        "aws eks update-kubeconfig --name shop-staging --profile shop-staging --region us-east-1 ⏎ kubectl -n checkout apply -f x",
        "elsewhere:staging/critical elsewhere:staging/critical",
    ),
    // Terraform and its kin
    ("terraform apply", "unnamed/critical"),
    ("terraform plan -out plan.bin", "unnamed/info"),
    ("terraform workspace select prod && terraform apply plan.bin", "here/pass here/pass"),
    ("terraform workspace select staging ⏎ terraform apply", "elsewhere:staging/critical elsewhere:staging/critical"),
    ("TF_WORKSPACE=prod terraform apply -auto-approve", "here/pass"),
    ("cd infra/prod ⏎ terraform apply", "here/pass"),
    ("cd infra/staging && terraform apply", "elsewhere:staging/critical"),
    ("cd infra && terraform -chdir=prod apply", "here/pass"),
    ("cd infra/staging ⏎ cd ../prod ⏎ terraform apply", "here/pass"),
    ("(cd infra/prod && terraform apply) ⏎ terraform apply", "here/pass unnamed/critical"),
    ("cd infra/prod && terraform apply -var-file=staging.tfvars", "elsewhere:staging/critical"),
    ("AWS_PROFILE=shop-staging terraform -chdir=infra/prod apply", "elsewhere:staging/critical"),
    ("tofu -chdir=infra/prod workspace select prod && tofu -chdir=infra/other apply", "here/pass elsewhere:/critical"),
    ("terragrunt run-all apply --terragrunt-working-dir infra/prod", "here/pass"),
    ("terraform init && terraform fmt && terraform validate", ""),
    ("pulumi up -s prod", "here/pass"),
    ("pulumi stack select staging; pulumi up -y", "elsewhere:staging/critical elsewhere:staging/critical"),
    ("pulumi up", "unnamed/critical"),
    ("cdk deploy prod --profile shop-prod --region us-east-1", "here/pass"),
    ("serverless deploy --stage prod --region us-east-1", "here/pass"),
    ("sls deploy", "unnamed/critical"),
    // Clouds
    ("aws ecs update-service --cluster shop-prod --service checkout --force-new-deployment", "unnamed/critical"),
    (
        "aws --profile shop-prod --region us-east-1 ecs update-service --cluster shop-prod --service checkout",
        "here/pass",
    ),
    ("aws --profile shop-prod ecs update-service --cluster shop-prod --service checkout", "partly/caution"),
    (
        "aws --profile shop-prod --region us-east-1 ecs update-service --cluster shop-staging --service x",
        "elsewhere:staging/critical",
    ),
    (
        "export AWS_PROFILE=shop-prod AWS_REGION=us-east-1 ⏎ aws ecs update-service --cluster shop-prod --service x",
        "here/pass",
    ),
    ("AWS_PROFILE=shop-prod ⏎ aws --region us-east-1 s3 sync a s3://b", "cannot-tell/unknown"),
    ("set -a ⏎ AWS_PROFILE=shop-prod ⏎ aws --region us-east-1 s3 sync a s3://b", "here/pass"),
    ("AWS_PROFILE=shop-staging aws s3 rm --recursive s3://bucket", "elsewhere:staging/critical"),
    ("AWS_PROFILE=shop-staging aws --profile shop-prod --region us-east-1 s3 rm s3://bucket/x", "here/pass"),
    ("env AWS_PROFILE=shop-prod AWS_REGION=us-east-1 aws lambda update-function-code --function-name x", "here/pass"),
    ("aws-vault exec shop-prod -- aws --region us-east-1 s3 sync a s3://b", "here/pass"),
    ("aws-vault exec shop-staging -- terraform -chdir=infra/prod apply", "elsewhere:staging/critical"),
    ("aws ecs list-services --cluster shop-prod", "unnamed/info"),
    ("aws sns publish --topic-arn arn:aws:sns:us-east-1:222222222222:x --message y", "elsewhere:staging/critical"),
    ("aws sns publish --topic-arn arn:aws:sns:us-east-1:111111111111:x --message y", "here/pass"),
    ("source .env.prod ⏎ aws s3 sync a s3://b", "cannot-tell/unknown"),
    ("eval $(assume-role prod) ⏎ aws s3 sync a s3://b", "cannot-tell/unknown cannot-tell/unknown"),
    ("unset AWS_PROFILE; aws s3 sync a s3://b", "unnamed/critical"),
    ("gcloud run deploy checkout --image x", "unnamed/critical"),
    ("gcloud run deploy checkout --image x --project shop-prod-1 --region us-central1", "here/pass"),
    (
        "gcloud config set project shop-staging-1 ⏎ gcloud app deploy",
        "elsewhere:staging/critical elsewhere:staging/critical",
    ),
    ("gcloud config configurations activate prod && gcloud --region us-central1 run deploy x", "here/pass here/pass"),
    ("gcloud compute instances list", "unnamed/info"),
    ("az webapp deploy -g rg -n checkout --src-path x.zip", "unnamed/critical"),
    ("az webapp deploy -n checkout --subscription 'Shop Production'", "here/pass"),
    (
        "az account set --subscription 'Shop Staging' ⏎ az webapp restart -n checkout",
        "elsewhere:staging/critical elsewhere:staging/critical",
    ),
    // Platforms and delivery
    ("docker compose up -d", "unnamed/critical"),
    ("docker --context prod compose up -d", "here/pass"),
    (
        "docker context use staging ⏎ docker compose -f compose.yaml up -d",
        "elsewhere:staging/critical elsewhere:staging/critical",
    ),
    ("DOCKER_HOST=ssh://deploy@prod-1 docker stack deploy -c x.yaml shop", "here/pass"),
    ("DOCKER_HOST=ssh://deploy@prod-1 docker service update shop", "here/pass"),
    ("docker build -t x . && docker push x", ""),
    ("argocd app sync checkout-prod", "here/pass"),
    ("argocd app sync checkout-staging", "elsewhere:staging/critical"),
    ("argocd app sync", "unnamed/critical"),
    ("argocd app diff checkout-prod", "here/info"),
    ("nomad job run -address=https://nomad.prod.example.com:4646 checkout.nomad", "here/pass"),
    ("NOMAD_ADDR=https://nomad.staging.example.com:4646 nomad job run x.nomad", "elsewhere:staging/critical"),
    ("nomad job plan x.nomad", "unnamed/info"),
    ("heroku releases:rollback v42 -a shop-prod", "here/pass"),
    ("heroku config:set A=b --app shop-staging", "elsewhere:staging/critical"),
    ("heroku run rake db:migrate", "unnamed/critical"),
    ("heroku logs", "unnamed/info"),
    ("fly deploy -a shop-prod", "here/pass"),
    ("flyctl deploy", "unnamed/critical"),
    ("cf target -o acme -s prod ⏎ cf push checkout", "here/pass here/pass"),
    ("cf push checkout", "unnamed/critical"),
    ("ansible-playbook -i inventories/prod site.yml", "here/pass"),
    ("ansible-playbook -i inventories/staging site.yml", "elsewhere:staging/critical"),
    ("ansible-playbook site.yml", "unnamed/critical"),
    ("ansible-playbook -i inventories/prod site.yml --check", "here/info"),
    ("cap production deploy", "here/pass"),
    ("cap staging deploy", "elsewhere:staging/critical"),
    ("git push heroku-prod main", "here/pass"),
    ("git push heroku-staging main", "elsewhere:staging/critical"),
    ("git commit -am x && git pull", ""),
    ("RAILS_ENV=production bundle exec rails db:migrate", "here/pass"),
    ("bundle exec rails db:migrate", "unnamed/critical"),
    // Databases and machines
    ("psql -h db.prod.example.com -d shop -f 0047.sql", "here/pass"),
    ("psql postgres://app:pw@db.prod.example.com:5432/shop -c 'alter table a add b int'", "here/pass"),
    ("psql 'host=db.staging.example.com dbname=shop' -f x.sql", "elsewhere:staging/critical"),
    ("PGHOST=db.staging.example.com psql shop", "elsewhere:staging/critical"),
    ("psql $DATABASE_URL -f x.sql", "cannot-tell/unknown"),
    ("psql shop -f x.sql", "unnamed/critical"),
    ("psql shop -c 'select count(*) from orders'", "unnamed/info"),
    ("psql shop -c 'select pg_terminate_backend(4)'", "unnamed/critical"),
    ("psql shop -c 'select 1; drop table orders'", "unnamed/critical"),
    ("psql -h db.prod.example.com shop <<SQL\ndelete from x;\nSQL", "here/pass"),
    ("pg_dump -h db.staging.example.com shop", "elsewhere:staging/caution"),
    ("mysql -h db.prod.example.com -u root -psecret shop -e 'drop table x'", "here/pass"),
    ("redis-cli -h db.staging.example.com FLUSHALL", "elsewhere:staging/critical"),
    ("redis-cli FLUSHALL", "unnamed/critical"),
    ("mongosh mongodb+srv://u:p@db.prod.example.com/shop --eval 'db.x.drop()'", "here/pass"),
    ("sqlx migrate run", "unnamed/critical"),
    ("DATABASE_URL=postgres://app:pw@db.prod.example.com/shop sqlx migrate run", "here/pass"),
    ("flyway -url=jdbc:postgresql://db.staging.example.com:5432/shop migrate", "elsewhere:staging/critical"),
    ("ssh deploy@web1.prod.example.com 'sudo systemctl restart checkout'", "here/pass"),
    ("ssh web1.staging.example.com sudo systemctl restart checkout", "elsewhere:staging/critical"),
    ("ssh -i key -p 2222 web1.prod.example.com uptime", "here/info"),
    ("ssh web1.prod.example.com ./deploy.sh", "here/pass"),
    ("ssh web1.prod.example.com <<EOF\ndocker compose up -d\nEOF", "here/pass"),
    ("ssh $HOST ./deploy.sh", "cannot-tell/unknown"),
    ("ssh web1.prod.example.com \"kubectl --context staging-us apply -f x\"", "elsewhere:staging/critical"),
    ("scp app.tar deploy@web1.staging.example.com:/srv", "elsewhere:staging/critical"),
    ("rsync -av build/ web1.prod.example.com:/srv/", "here/pass"),
    ("rsync -av a/ b/", ""),
    ("systemctl restart checkout", "unnamed/critical"),
    ("curl -X POST https://api.staging.example.com/flush", "elsewhere:staging/critical"),
    ("curl -fsS https://api.prod.example.com/healthz", "here/info"),
    ("curl https://example.org", "elsewhere:/caution"),
    // What cannot be read
    ("./deploy.sh production", "cannot-tell/unknown"),
    ("make deploy ENV=prod", "cannot-tell/unknown"),
    ("npm run deploy:prod", "cannot-tell/unknown"),
    ("just deploy", "cannot-tell/unknown"),
    ("frobnicate --now", "cannot-tell/unknown"),
    ("$DEPLOY now", "cannot-tell/unknown"),
    ("bash -c 'kubectl apply -f x.yaml'", "unnamed/critical"),
    ("deploy() { kubectl apply -f x; } ⏎ deploy", "unnamed/critical"),
    ("case $x in prod) kubectl --context prod-us -n checkout apply -f y;; esac", "here/pass"),
    ("kubectl --context prod-us -n checkout apply \\\n  -f config.yaml", "here/pass"),
    ("# kubectl apply -f x\necho done", ""),
    ("$ kubectl apply -f x", "unnamed/critical"),
    ("Run `kubectl apply -f config.yaml`, then wait", "unnamed/critical"),
    ("kubectl apply —context prod-us -f x", "cannot-tell/unknown unnamed/critical"),
];

#[test]
fn each_command_line_is_judged_as_it_should() {
    let mut wrong = Vec::new();
    for (commands, expected) in CASES {
        let got = short(&commands.replace(" ⏎ ", "\n")).join(" ");
        if got != *expected {
            wrong.push(format!(
                "{commands}\n    expected {expected}\n    got      {got}\n    {}",
                says(&commands.replace(" ⏎ ", "\n"))
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}

#[test]
fn a_finding_says_what_would_mend_it() {
    insta::assert_snapshot!(says(
        "kubectl apply -f config.yaml
kubectl --context staging-us apply -f config.yaml
kubectl --context prod-us apply -f config.yaml
kubectl --context=$CTX apply -f config.yaml
terraform apply
aws ecs update-service --cluster shop-prod --service checkout
systemctl restart checkout
make deploy
psql shop -c 'drop table x'
DOCKER_HOST=tcp://10.0.0.1 docker compose up
heroku restart
kubectl --context prod-us -n checkout apply -f x.yaml"
    ), @r"
    `kubectl apply -f config.yaml` names no cluster: add `--context prod-us` (or `prod-eu`).
    `kubectl --context staging-us apply -f config.yaml` aims at staging: context `staging-us`, not production; add `--context prod-us` (or `prod-eu`).
    `kubectl --context prod-us apply -f config.yaml` aims at production but names no namespace: add `--namespace checkout` (or `payments`).
    `kubectl --context=$CTX apply -f config.yaml` takes its context from `$CTX`, which cannot be known before it runs; add `--context prod-us` (or `prod-eu`).
    `terraform apply` names no workspace: put `TF_WORKSPACE=prod` before it.
    `aws ecs update-service --cluster shop-prod --service checkout` names no account: add `--profile shop-prod`.
    `systemctl restart checkout` names no host: add `--host` with production's.
    `make deploy` runs a script: what it aims at cannot be told from here.
    `psql shop -c 'drop table x'` names no database host: add `--host db.prod.example.com`.
    `DOCKER_HOST=tcp://10.0.0.1 docker compose up` does not aim at production: Docker host `tcp://10.0.0.1` from `DOCKER_HOST`, and production's are `ssh://deploy@prod-1`.
    `heroku restart` names no app: add `--app shop-prod`.
    `kubectl --context prod-us -n checkout apply -f x.yaml` aims at production: context `prod-us`.
    ");
}
