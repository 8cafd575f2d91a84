"""grpcio and fastavro, unmodified, against the Pub/Sub API of the Salesforce sandbox.

    python3 -m venv .venv && .venv/bin/pip install -r requirements.txt
    SANDBOX_SALESFORCE=http://127.0.0.1:… SANDBOX_MANAGE=http://127.0.0.1:… .venv/bin/python salesforce/pubsub_test.py
"""

import io
import json
import os
import pathlib
import queue
import sys
import tempfile
import unittest
import urllib.request
import uuid

import fastavro
import grpc
from grpc_tools import protoc

SERVER = os.environ["SANDBOX_SALESFORCE"].rstrip("/")
MANAGE = os.environ["SANDBOX_MANAGE"].rstrip("/")
PATIENCE = 30  # seconds for any one answer


def generated():
    """The stubs that grpcio's own compiler makes of the proto file."""
    here, there = pathlib.Path(__file__).parent, tempfile.mkdtemp()
    if protoc.main(["protoc", f"-I{here}", f"--python_out={there}", f"--grpc_python_out={there}", str(here / "pubsub_api.proto")]) != 0:
        raise RuntimeError("the proto file cannot be compiled")
    sys.path.insert(0, there)
    import pubsub_api_pb2
    import pubsub_api_pb2_grpc

    return pubsub_api_pb2, pubsub_api_pb2_grpc


pb, pb_grpc = generated()


def call(method, url, body=None, **headers):
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json", **headers}, method=method)
    with urllib.request.urlopen(request) as answer:
        content = answer.read()
        return json.loads(content) if content else None


class Stream:
    """A subscription, fed by hand."""

    def __init__(self, test, **first):
        self.test, self.requests = test, queue.Queue()
        self.ask(**first)
        self.answers = test.stub.Subscribe(iter(self.requests.get, None), metadata=test.metadata, timeout=PATIENCE)

    def ask(self, **request):
        self.requests.put(pb.FetchRequest(**request))

    def take(self, n):
        events = []
        while len(events) < n:
            self.last = next(self.answers)
            events += [self.test.decode(e) for e in self.last.events]
        return events

    def close(self):
        self.requests.put(None)
        self.answers.cancel()


def names(schema, bitmaps):
    """The names that a list of bitmaps stands for, parts as Name.FirstName."""
    records = {}

    def remember(node):
        if isinstance(node, dict):
            if node.get("type") == "record":
                records[node["name"].rsplit(".", 1)[-1]] = node
            for value in node.values():
                remember(value)
        elif isinstance(node, list):
            for value in node:
                remember(value)

    remember(schema)
    found = []
    for bits in bitmaps:
        place, _, digits = bits.rpartition("-")
        fields, prefix = schema["fields"], ""
        if place:
            parent = fields[int(place)]
            kind = parent["type"][-1]
            kind = records[kind.rsplit(".", 1)[-1]] if isinstance(kind, str) else kind
            fields, prefix = kind["fields"], parent["name"] + "."
        number = int(digits, 16)
        found += [prefix + f["name"] for i, f in enumerate(fields) if number >> i & 1]
    return found


class PubSub(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.token = call("POST", MANAGE + "/salesforce/tokens", {})["token"]
        call("PUT", MANAGE + "/salesforce/change-events", {"objects": ["Account", "Contact"]})
        org = call("GET", MANAGE + "/state")["salesforce"]["account"]
        cls.metadata = (("accesstoken", cls.token), ("instanceurl", SERVER), ("tenantid", org))
        cls.channel = grpc.insecure_channel(SERVER.removeprefix("http://"))
        cls.stub = pb_grpc.PubSubStub(cls.channel)
        cls.schemas = {}

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()

    def rest(self, method, path, body=None):
        return call(method, SERVER + "/services/data/v68.0" + path, body, Authorization="Bearer " + self.token, **{"Sforce-Call-Options": "client=grpcio"})

    def decode(self, consumed):
        event = consumed.event
        if event.schema_id not in self.schemas:
            info = self.stub.GetSchema(pb.SchemaRequest(schema_id=event.schema_id), metadata=self.metadata, timeout=PATIENCE)
            self.schemas[event.schema_id] = (json.loads(info.schema_json), fastavro.parse_schema(json.loads(info.schema_json)))
        raw, parsed = self.schemas[event.schema_id]
        body = io.BytesIO(event.payload)
        record = fastavro.schemaless_reader(body, parsed)
        self.assertEqual(body.read(), b"", "the payload has bytes behind the record")
        header = record.pop("ChangeEventHeader")
        header["changedFields"] = names(raw, header["changedFields"])
        header["nulledFields"] = names(raw, header["nulledFields"])
        return header, {k: v for k, v in record.items() if v is not None}, consumed.replay_id

    def test_a_topic_and_its_schema(self):
        topic = self.stub.GetTopic(pb.TopicRequest(topic_name="/data/AccountChangeEvent"), metadata=self.metadata, timeout=PATIENCE)
        self.assertEqual((topic.topic_name, topic.can_subscribe, topic.can_publish), ("/data/AccountChangeEvent", True, False))
        schema = json.loads(self.stub.GetSchema(pb.SchemaRequest(schema_id=topic.schema_id), metadata=self.metadata, timeout=PATIENCE).schema_json)
        self.assertEqual((schema["name"], schema["fields"][0]["name"]), ("AccountChangeEvent", "ChangeEventHeader"))

    def test_changes_are_told_with_their_bitmaps(self):
        stream = Stream(self, topic_name="/data/ContactChangeEvent", replay_preset=pb.EARLIEST, num_requested=100)
        self.addCleanup(stream.close)
        mark = uuid.uuid4().hex
        made = self.rest("POST", "/sobjects/Contact", {"LastName": mark, "Phone": "1", "MailingCity": "Bremen", "MailingLatitude": 53.1})["id"]
        self.rest("PATCH", "/sobjects/Contact/" + made, {"Phone": None, "FirstName": "Ñandú", "MailingCity": "Köln"})
        self.rest("DELETE", "/sobjects/Contact/" + made)
        mine = []
        while len(mine) < 3:
            mine += [e for e in stream.take(1) if e[0]["recordIds"] == [made]]
        (create, values, first), (update, changes, _), (delete, nothing, _) = mine
        self.assertEqual([create["changeType"], update["changeType"], delete["changeType"]], ["CREATE", "UPDATE", "DELETE"])
        self.assertEqual((values["Name"]["LastName"], values["MailingAddress"]["City"], values["MailingAddress"]["Latitude"]), (mark, "Bremen", 53.1))
        self.assertCountEqual(update["changedFields"], ["Phone", "LastModifiedDate", "Name.FirstName", "MailingAddress.City"])
        self.assertEqual(update["nulledFields"], ["Phone"])
        self.assertEqual((changes["Name"]["FirstName"], changes["Name"]["LastName"], changes["MailingAddress"]["City"]), ("Ñandú", None, "Köln"))
        self.assertEqual(update["changeOrigin"], "com/salesforce/api/rest/68.0;client=grpcio")
        self.assertEqual(nothing, {})
        again = Stream(self, topic_name="/data/ContactChangeEvent", replay_preset=pb.CUSTOM, replay_id=first, num_requested=1)
        self.addCleanup(again.close)
        self.assertEqual(again.take(1)[0][0]["changeType"], "UPDATE")
        self.assertEqual(again.last.pending_num_requested, 0)
        again.ask(num_requested=1)
        self.assertEqual(again.take(1)[0][0]["changeType"], "DELETE")

    def test_errors_keep_status_and_reason(self):
        def refused(answers):
            with self.assertRaises(grpc.RpcError) as caught:
                next(answers) if hasattr(answers, "__next__") else answers()
            return caught.exception.code(), dict(caught.exception.trailing_metadata())["error-code"].removeprefix("sfdc.platform.eventbus.grpc."), caught.exception.details()

        wrong = Stream(self, topic_name="/data/AccountChangeEvent", replay_preset=pb.CUSTOM, replay_id=b"nonsense", num_requested=1)
        self.addCleanup(wrong.close)
        code, reason, details = refused(wrong.answers)
        self.assertEqual((code, reason), (grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.replayid.corrupted"))
        self.assertIn("rpcId: ", details)
        zero = Stream(self, topic_name="/data/AccountChangeEvent", num_requested=0)
        self.addCleanup(zero.close)
        self.assertEqual(refused(zero.answers)[:2], (grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.requested.events.invalid"))
        self.assertEqual(
            refused(lambda: self.stub.GetTopic(pb.TopicRequest(topic_name="/data/NoneChangeEvent"), metadata=self.metadata, timeout=PATIENCE))[:2],
            (grpc.StatusCode.NOT_FOUND, "topic.not.found"))
        self.assertEqual(
            refused(lambda: self.stub.GetTopic(pb.TopicRequest(topic_name="/data/AccountChangeEvent"), metadata=(("accesstoken", "x"), *self.metadata[1:]), timeout=PATIENCE))[:2],
            (grpc.StatusCode.UNAUTHENTICATED, "service.auth.error"))
        with self.assertRaises(grpc.RpcError) as caught:
            self.stub.Publish(pb.PublishRequest(), metadata=self.metadata, timeout=PATIENCE)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_a_managed_subscription(self):
        name = "Sync" + uuid.uuid4().hex
        call("POST", MANAGE + "/salesforce/managed-subscriptions", {"developerName": name, "topic": "/data/AccountChangeEvent"})
        requests = queue.Queue()
        requests.put(pb.ManagedFetchRequest(developer_name=name, num_requested=1))
        answers = self.stub.ManagedSubscribe(iter(requests.get, None), metadata=self.metadata, timeout=PATIENCE)
        self.addCleanup(answers.cancel)
        self.addCleanup(requests.put, None)
        answers.initial_metadata()  # the subscription stands before anything changes
        made = self.rest("POST", "/sobjects/Account", {"Name": name})["id"]
        event = next(answers).events[0]
        header, values, replay = self.decode(event)
        self.assertEqual((header["recordIds"], values["Name"]), ([made], name))
        requests.put(pb.ManagedFetchRequest(commit_replay_id_request=pb.CommitReplayRequest(commit_request_id="1", replay_id=replay)))
        committed = next(answers).commit_response
        self.assertEqual((committed.commit_request_id, committed.replay_id, committed.HasField("error")), ("1", replay, False))


if __name__ == "__main__":
    unittest.main()
