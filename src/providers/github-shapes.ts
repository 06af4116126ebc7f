/**
 * What the payloads of GitHub's events are told apart by: the keys that one has, and after `!` those that it has not.
 * `*` stands for an event with nothing of its own, which must hold nothing of another's.
 *
 * No more than it takes, so that a payload which grows a key stays what it is.
 *
 * @see https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
const SHAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    branch_protection_configuration: "repository *",
    branch_protection_rule: "rule",
    check_run: "check_run !deployment_status",
    check_suite: "check_suite",
    code_scanning_alert: "alert commit_oid",
    commit_comment: "comment !issue !pull_request !discussion",
    create: "ref ref_type master_branch",
    custom_property: "definition",
    custom_property_values: "new_property_values",
    delete: "ref ref_type !master_branch",
    dependabot_alert: "alert !commit_oid !location",
    deploy_key: "key",
    deployment: "deployment !deployment_status !deployment_callback_url !workflow_job",
    deployment_protection_rule: "deployment_callback_url",
    deployment_review: "since workflow_run",
    deployment_status: "deployment deployment_status",
    discussion: "discussion !comment",
    discussion_comment: "discussion comment",
    fork: "forkee",
    github_app_authorization: "* !repository",
    gollum: "pages",
    installation: "installation *",
    installation_repositories: "repositories_added repositories_removed",
    installation_target: "account target_type",
    issue_comment: "issue comment",
    issue_dependencies: "*",
    issues: "issue !comment",
    label: "label !issue !pull_request !discussion",
    marketplace_purchase: "marketplace_purchase",
    member: "member !team",
    membership: "member team",
    merge_group: "merge_group",
    meta: "hook hook_id !zen",
    milestone: "milestone !issue !pull_request",
    org_block: "blocked_user",
    organization: "organization *",
    package: "package",
    page_build: "build",
    personal_access_token_request: "personal_access_token_request",
    ping: "zen",
    project: "project",
    project_card: "project_card",
    project_column: "project_column",
    projects_v2: "projects_v2",
    projects_v2_item: "projects_v2_item",
    projects_v2_status_update: "projects_v2_status_update",
    public: "repository * !action",
    pull_request: "pull_request !review !comment !thread",
    pull_request_review: "pull_request review",
    pull_request_review_comment: "pull_request comment",
    pull_request_review_thread: "pull_request thread",
    push: "ref commits",
    registry_package: "registry_package",
    release: "release",
    repository: "repository *",
    repository_advisory: "repository_advisory",
    repository_dispatch: "branch client_payload",
    repository_import: "status",
    repository_ruleset: "repository_ruleset",
    repository_vulnerability_alert: "alert !commit_oid !location",
    secret_scanning_alert: "alert !commit_oid !location",
    secret_scanning_alert_location: "alert location",
    secret_scanning_scan: "*",
    security_advisory: "security_advisory",
    security_and_analysis: "repository *",
    sponsorship: "sponsorship",
    star: "starred_at",
    status: "sha state context",
    sub_issues: "sub_issue",
    team: "team !member",
    team_add: "team !member",
    watch: "repository *",
    workflow_dispatch: "workflow inputs",
    workflow_job: "workflow_job",
    workflow_run: "workflow_run !deployment !deployment_status !since",
  }),
);

/** Keys that come with payloads of many events: an app's installation, where it happened. */
const COMMON: readonly string[] = ["installation", "organization", "repository"];

const words = (shape: string): readonly string[] => shape.split(" ").filter((word) => /^\w/.test(word));
const TELLING: ReadonlySet<string> = new Set(
  [...SHAPES.values()].flatMap(words).filter((key) => !COMMON.includes(key)),
);

/**
 * Whether a payload can be that of `event`: `"pull_request"`. The name comes in a header that nobody signs, so a payload
 * that was captured may come again under another. An event that is not known may hold anything.
 */
export function hasShapeOf(event: string, payload: Readonly<Record<string, unknown>>): boolean {
  const shape = SHAPES.get(event);
  if (shape === undefined) return true;
  return shape.split(" ").every((word) => {
    if (word === "*") return Object.keys(payload).every((key) => !TELLING.has(key));
    return word.startsWith("!") ? !Object.hasOwn(payload, word.slice(1)) : Object.hasOwn(payload, word);
  });
}
