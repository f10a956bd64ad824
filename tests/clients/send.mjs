// Sends events by one published client: node send.mjs CLIENT ADDRESS KEY EVENT COUNT
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [client, url, key, event, counted] = process.argv.slice(2);
const numbers = [...Array(Number(counted)).keys()];

const SENDERS = {
  async segment() {
    const { Analytics } = require("@segment/analytics-node");
    const made = new Analytics({ writeKey: key, host: url, path: "/in/segment/v1/batch", flushAt: 10, maxRetries: 6 });
    for (const n of numbers) made.track({ userId: "lin", event, properties: { n } });
    await made.closeAndFlush();
  },
  async rudder() {
    const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
    const made = new RudderAnalytics(key, { dataPlaneUrl: `${url}/in/segment`, flushAt: 10, flushInterval: 200 });
    for (const n of numbers) made.track({ userId: "lin", event, properties: { n } });
    await new Promise((done) => setTimeout(done, 500));
    await made.flush();
    await new Promise((done) => setTimeout(done, 4000));
    await made.flush();
  },
  async posthog() {
    const { PostHog } = require("posthog-node");
    const host = `${url}/in/posthog`;
    const made = new PostHog(key, { host, flushAt: 10, flushInterval: 200, fetchRetryCount: 6, fetchRetryDelay: 300 });
    for (const n of numbers) made.capture({ distinctId: "lin", event, properties: { n } });
    await made.shutdown(30000);
  },
  async umami() {
    const umami = require("@umami/node").default;
    umami.init({ websiteId: key, hostUrl: `${url}/in/umami` });
    for (const n of numbers) await umami.track(event, { n });
  },
  async cloudevents() {
    const { CloudEvent, HTTP } = require("cloudevents");
    for (const n of numbers) {
      const said = new CloudEvent({ id: `${event}-${n}`, source: "/erp", type: event, subject: "lin", data: { n } });
      for (const pack of [HTTP.binary, HTTP.structured]) {
        const { headers, body } = pack(said);
        const sent = await fetch(`${url}/in/cloudevents`, {
          method: "POST",
          headers: { ...headers, authorization: `Bearer ${key}` },
          body: typeof body === "string" ? body : JSON.stringify(body),
        });
        if (sent.status !== 200) throw new Error(`${sent.status} ${await sent.text()}`);
      }
    }
  },
};

await SENDERS[client]();
process.exit(0);
