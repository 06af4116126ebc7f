import { expect } from "chai";
import { hasShapeOf } from "../../src/providers/github-shapes.ts";

/**
 * The keys of each event's payload beside `action`, `sender` and, where not said otherwise, `repository`, after
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads.
 */
const KEYS: Readonly<Record<string, string>> = {
  branch_protection_configuration: "",
  branch_protection_rule: "rule",
  check_run: "check_run",
  check_suite: "check_suite",
  code_scanning_alert: "alert commit_oid ref",
  commit_comment: "comment",
  create: "ref ref_type master_branch description pusher_type -action",
  custom_property: "definition -repository",
  custom_property_values: "new_property_values old_property_values",
  delete: "ref ref_type pusher_type -action",
  dependabot_alert: "alert",
  deploy_key: "key",
  deployment: "deployment workflow workflow_run",
  deployment_protection_rule: "environment event deployment_callback_url deployment pull_requests",
  deployment_review: "since workflow_run workflow_job_runs approver",
  deployment_status: "deployment deployment_status check_run workflow workflow_run",
  discussion: "discussion",
  discussion_comment: "discussion comment",
  fork: "forkee -action",
  github_app_authorization: "-repository",
  gollum: "pages -action",
  installation: "installation repositories requester -repository",
  installation_repositories: "installation repositories_added repositories_removed repository_selection -repository",
  installation_target: "account installation target_type changes -repository",
  issue_comment: "issue comment",
  issue_dependencies: "blocked_issue blocking_issue",
  issues: "issue",
  label: "label",
  marketplace_purchase: "marketplace_purchase effective_date -repository",
  member: "member changes",
  membership: "member team scope organization -repository",
  merge_group: "merge_group",
  meta: "hook hook_id",
  milestone: "milestone",
  org_block: "blocked_user organization -repository",
  organization: "organization membership -repository",
  package: "package",
  page_build: "build id -action",
  personal_access_token_request: "personal_access_token_request organization -repository",
  ping: "zen hook hook_id -action",
  project: "project",
  project_card: "project_card",
  project_column: "project_column",
  projects_v2: "projects_v2 organization -repository",
  projects_v2_item: "projects_v2_item organization -repository",
  projects_v2_status_update: "projects_v2_status_update organization -repository",
  public: "-action",
  pull_request: "pull_request number",
  pull_request_review: "pull_request review",
  pull_request_review_comment: "pull_request comment",
  pull_request_review_thread: "pull_request thread",
  push: "ref before after commits head_commit pusher -action",
  registry_package: "registry_package",
  release: "release",
  repository: "",
  repository_advisory: "repository_advisory",
  repository_dispatch: "branch client_payload installation",
  repository_import: "status -action",
  repository_ruleset: "repository_ruleset",
  repository_vulnerability_alert: "alert",
  secret_scanning_alert: "alert",
  secret_scanning_alert_location: "alert location",
  secret_scanning_scan: "type source started_at completed_at",
  security_advisory: "security_advisory -repository",
  security_and_analysis: "changes -action",
  sponsorship: "sponsorship -repository",
  star: "starred_at",
  status: "sha state context branches commit -action",
  sub_issues: "sub_issue parent_issue",
  team: "team organization",
  team_add: "team organization -action",
  watch: "",
  workflow_dispatch: "workflow inputs ref -action",
  workflow_job: "workflow_job",
  workflow_run: "workflow_run workflow",
};

function payloadOf(event: string): Record<string, unknown> {
  const words = (KEYS[event] as string).split(" ").filter((word) => word !== "");
  const keys = ["action", "sender", "repository", ...words.filter((word) => !word.startsWith("-"))];
  const absent = words.filter((word) => word.startsWith("-")).map((word) => word.slice(1));
  return Object.fromEntries(keys.filter((key) => !absent.includes(key)).map((key) => [key, {}]));
}

/** Events of the whole repository, and those with nothing of their own: no key tells them apart. */
const BARE = [
  "branch_protection_configuration",
  "issue_dependencies",
  "repository",
  "secret_scanning_scan",
  "security_and_analysis",
  "watch",
];

/** The other events as which a payload would pass, because no key tells. */
const ALIKE: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(BARE.map((event) => [event, BARE])),
  public: BARE,
  security_and_analysis: [...BARE, "public"],
  ...Object.fromEntries(
    ["github_app_authorization", "installation", "organization"].map((event) => [
      event,
      ["github_app_authorization", "issue_dependencies", "secret_scanning_scan"],
    ]),
  ),
  ...Object.fromEntries(
    ["dependabot_alert", "repository_vulnerability_alert", "secret_scanning_alert"].map((event, _, all) => [
      event,
      all,
    ]),
  ),
  team: ["team_add"],
  team_add: ["team"],
};

describe("the shapes of GitHub's payloads", () => {
  for (const event of Object.keys(KEYS)) {
    it(`let ${event} pass as ${event}, and as no other that can be told from it`, () => {
      const payload = payloadOf(event);
      expect(hasShapeOf(event, payload), "as itself").to.equal(true);
      const passes = Object.keys(KEYS).filter((other) => other !== event && hasShapeOf(other, payload));
      const alike = (ALIKE[event] ?? []).filter((other) => other !== event);
      expect(passes).to.have.members(alike);
    });
  }

  it("let a payload pass that has grown a key, and any payload as an event that is not known", () => {
    for (const event of Object.keys(KEYS)) {
      expect(hasShapeOf(event, { ...payloadOf(event), news: 1 }), event).to.equal(true);
    }
    expect(hasShapeOf("newcomer", { anything: 1 })).to.equal(true);
  });
});
