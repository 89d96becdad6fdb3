import { describe, expect, test } from "vitest";
import { gaugeSum } from "./gauge.ts";

const metrics = `# HELP rest_server_requests_in_progress Total HTTP requests currently in progress
# TYPE rest_server_requests_in_progress gauge
rest_server_requests_in_progress{app_name="mlserver",method="POST"} 2.0
rest_server_requests_in_progress{app_name="mlserver",method="GET"} 0.0
# TYPE rest_server_requests counter
rest_server_requests_total{path="/a} 7"} 41
# TYPE waiting gauge
waiting 3 1700000000000
# TYPE never_used gauge
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a \\"b\\" }{ 9"} 1e0
`;

describe("gaugeSum", () => {
  test("adds up the labels of a gauge", () => {
    expect(gaugeSum(metrics, "rest_server_requests_in_progress")).toBe(2);
    expect(gaugeSum(metrics, "waiting")).toBe(3);
    expect(gaugeSum(metrics, "vllm:num_requests_running")).toBe(1);
  });

  test("a gauge that is declared and was never used is 0; one that is not there is unknown", () => {
    expect(gaugeSum(metrics, "never_used")).toBe(0);
    expect(gaugeSum(metrics, "rest_server_requests_in")).toBe(undefined);
    expect(gaugeSum("<html>Not found</html>", "waiting")).toBe(undefined);
    expect(gaugeSum("", "waiting")).toBe(undefined);
  });

  test("a counter is no gauge", () => {
    expect(gaugeSum(metrics, "rest_server_requests")).toBe(undefined);
    expect(gaugeSum("# TYPE done counter\ndone 0\n", "done")).toBe(undefined);
    expect(gaugeSum("# TYPE done untyped\ndone 0\n", "done")).toBe(0);
  });

  test("a value that is no number says nothing", () => {
    expect(gaugeSum("waiting NaN\n", "waiting")).toBe(undefined);
    expect(gaugeSum('waiting{a="b"} 0\nwaiting +Inf\n', "waiting")).toBe(undefined);
  });

  test("takes OpenMetrics and quoted names, and Windows line ends", () => {
    expect(gaugeSum('waiting{a="b"} 4 # {trace="x"} 1\n# EOF\n', "waiting")).toBe(4);
    expect(gaugeSum('{"in.progress",a="b"} 5\n', "in.progress")).toBe(5);
    expect(gaugeSum("# TYPE waiting gauge\r\nwaiting 6\r\n", "waiting")).toBe(6);
  });
});
