// jsforce, unmodified, against the Salesforce sandbox.
//
// SANDBOX_SALESFORCE is the address of the Salesforce server, SANDBOX_MANAGE
// that of the management port, which gives an app, a user and a token.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import jsforce from 'jsforce';

const salesforce = required('SANDBOX_SALESFORCE');
const manage = required('SANDBOX_MANAGE');
const version = '66.0';
const run = `j${Date.now().toString(36)}`; // keeps the records of two runs apart

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: start the sandbox and give its address`);
  return value.replace(/\/$/, '');
}

async function post(path, body) {
  const answer = await fetch(manage + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.equal(answer.ok, true, `${path} answered ${answer.status}`);
  return answer.json();
}

/** The error that a promise is rejected with. */
async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail('it was not refused');
}

let app;
let connection;

before(async () => {
  app = await post('/salesforce/apps', { name: `jsforce ${run}` });
  const issued = await post('/salesforce/tokens', { username: app.username });
  connection = new jsforce.Connection({ instanceUrl: salesforce, accessToken: issued.token, version });
});

describe('signing in', () => {
  it('by SOAP with user name, password and security token', async () => {
    const own = new jsforce.Connection({ loginUrl: salesforce, version: '50.0' });
    const user = await own.login(app.username, app.password);
    assert.match(user.id, /^005\w{15}$/);
    assert.match(user.organizationId, /^00D\w{15}$/);
    assert.match(own.accessToken, /^00D\w{12}![\w.]+$/);
    assert.equal(new URL(own.instanceUrl).port, new URL(salesforce).port);
    const found = await own.query(`SELECT Username FROM User WHERE Id = '${user.id}'`);
    assert.equal(found.records[0].Username, app.username);
  });

  it('is refused with a wrong password', async () => {
    const own = new jsforce.Connection({ loginUrl: salesforce, version: '50.0' });
    const error = await refusal(own.login(app.username, 'fake-wrong'));
    assert.match(error.message, /INVALID_LOGIN: Invalid username, password, security token; or user locked out\./);
  });

  it('by client credentials', async () => {
    const own = new jsforce.Connection({ oauth2: { loginUrl: salesforce, clientId: app.clientId, clientSecret: app.clientSecret }, version });
    await own.authorize({ grant_type: 'client_credentials' });
    assert.match(own.accessToken, /^00D\w{12}![\w.]+$/);
    const identity = await own.identity();
    assert.equal(identity.username, app.username);
    assert.equal(identity.organization_id.slice(0, 3), '00D');
    assert.equal(identity.active, true);
  });

  it('is refused with a wrong secret', async () => {
    const own = new jsforce.Connection({ oauth2: { loginUrl: salesforce, clientId: app.clientId, clientSecret: 'fake-wrong' }, version });
    const error = await refusal(own.authorize({ grant_type: 'client_credentials' }));
    assert.equal(error.name, 'invalid_client');
    assert.equal(error.message, 'invalid client credentials');
  });

  it('a dead token is INVALID_SESSION_ID', async () => {
    const own = new jsforce.Connection({ instanceUrl: salesforce, accessToken: '00D000000000000!fake.dead', version });
    const error = await refusal(own.query('SELECT Id FROM Account LIMIT 1'));
    assert.equal(error.errorCode, 'INVALID_SESSION_ID');
    assert.equal(error.message, 'Session expired or invalid');
  });

  it('logs out', async () => {
    const own = new jsforce.Connection({ oauth2: { loginUrl: salesforce, clientId: app.clientId, clientSecret: app.clientSecret }, version });
    await own.authorize({ grant_type: 'client_credentials' });
    await own.logout();
    const again = new jsforce.Connection({ instanceUrl: salesforce, accessToken: own.accessToken ?? 'fake-gone', version });
    assert.equal((await refusal(again.query('SELECT Id FROM Account LIMIT 1'))).errorCode, 'INVALID_SESSION_ID');
  });
});

describe('one record', () => {
  let id;

  it('is created, read, updated and deleted', async () => {
    const made = await connection.sobject('Account').create({ Name: `Ærø Robotics ${run}`, Industry: 'Technology', AnnualRevenue: 1500000, NumberOfEmployees: 42 });
    assert.equal(made.success, true);
    assert.match(made.id, /^001\w{15}$/);
    id = made.id;

    const read = await connection.sobject('Account').retrieve(id);
    assert.equal(read.attributes.type, 'Account');
    assert.equal(read.attributes.url, `/services/data/v${version}/sobjects/Account/${id}`);
    assert.equal(read.Name, `Ærø Robotics ${run}`);
    assert.equal(read.AnnualRevenue, 1500000);
    assert.equal(read.NumberOfEmployees, 42);
    assert.equal(read.BillingAddress, null);
    assert.equal(read.IsDeleted, false);
    assert.match(read.CreatedDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000$/);

    const changed = await connection.sobject('Account').update({ Id: id, BillingCity: 'Ærøskøbing', BillingCountry: 'Denmark', Industry: null });
    assert.deepEqual({ id: changed.id, success: changed.success }, { id, success: true });
    const after = await connection.sobject('Account').retrieve(id);
    assert.equal(after.Industry, null);
    assert.equal(after.BillingAddress.city, 'Ærøskøbing');
    assert.equal(after.BillingAddress.country, 'Denmark');

    const gone = await connection.sobject('Account').destroy(id);
    assert.equal(gone.success, true);
  });

  it('cannot be deleted twice', async () => {
    const error = await refusal(connection.sobject('Account').destroy(id));
    assert.equal(error.errorCode, 'ENTITY_IS_DELETED');
  });

  it('is found by its 15-character id too', async () => {
    const made = await connection.sobject('Account').create({ Name: `Short ${run}` });
    const read = await connection.sobject('Account').retrieve(made.id.slice(0, 15));
    assert.equal(read.Id, made.id);
  });
});

describe('errors', () => {
  it('a required field that is missing is named', async () => {
    const error = await refusal(connection.sobject('Contact').create({ FirstName: 'Ana' }));
    assert.equal(error.errorCode, 'REQUIRED_FIELD_MISSING');
    assert.deepEqual(error.data.fields, ['LastName']);
    assert.equal(error.message, 'Required fields are missing: [LastName]');
  });

  it('a value that is too long is named', async () => {
    const error = await refusal(connection.sobject('Contact').create({ LastName: 'x'.repeat(81) }));
    assert.equal(error.errorCode, 'STRING_TOO_LONG');
    assert.match(error.message, /^Last Name: data value too large: x+ \(max length=80\)$/);
  });

  it('an unknown field is INVALID_FIELD', async () => {
    const error = await refusal(connection.sobject('Contact').create({ LastName: 'Li', Nope__c: 1 }));
    assert.equal(error.errorCode, 'INVALID_FIELD');
    assert.equal(error.message, "No such column 'Nope__c' on sobject of type Contact");
  });

  it('a read-only field is refused', async () => {
    const error = await refusal(connection.sobject('Contact').create({ LastName: 'Li', Name: 'Ann Li' }));
    assert.equal(error.errorCode, 'INVALID_FIELD_FOR_INSERT_UPDATE');
    assert.deepEqual(error.data.fields, ['Name']);
  });

  it('a broken query says where', async () => {
    const error = await refusal(connection.query('SELECT Id FROM Account WHERE Name ='));
    assert.equal(error.errorCode, 'MALFORMED_QUERY');
    assert.match(error.message, /ERROR at Row:1:Column:36\nunexpected token: '<EOF>'/);
  });

  it('an unknown column says where', async () => {
    const error = await refusal(connection.query('SELECT Id, Nope FROM Account'));
    assert.equal(error.errorCode, 'INVALID_FIELD');
    assert.match(error.message, /Row:1:Column:12\nNo such column 'Nope' on entity 'Account'/);
  });

  it('an unknown id is NOT_FOUND', async () => {
    const error = await refusal(connection.sobject('Account').retrieve('001000000000000AAA'));
    assert.equal(error.errorCode, 'NOT_FOUND');
  });
});

describe('upsert by an external id', () => {
  const key = `hs-${run}`;

  it('creates, then updates', async () => {
    const first = await connection.sobject('Contact').upsert({ HubSpot_Id__c: key, LastName: 'Nuñez', Email: `${run}@acme.example` }, 'HubSpot_Id__c');
    assert.equal(first.success, true);
    assert.equal(first.created, true);
    const second = await connection.sobject('Contact').upsert({ HubSpot_Id__c: key, Title: 'CTO' }, 'HubSpot_Id__c');
    assert.equal(second.created, false);
    assert.equal(second.id, first.id);
    const read = await connection.sobject('Contact').retrieve(first.id);
    assert.equal(read.Title, 'CTO');
    assert.equal(read.LastName, 'Nuñez');
    assert.equal(read.HubSpot_Id__c, key);
  });

  it('many at once tell which were created', async () => {
    const results = await connection.sobject('Contact').upsert(
      [{ HubSpot_Id__c: key, Title: 'CEO' }, { HubSpot_Id__c: `${key}-2`, LastName: 'Łukasz' }, { HubSpot_Id__c: `${key}-3` }],
      'HubSpot_Id__c',
    );
    assert.deepEqual(results.map((r) => [r.success, r.created]), [[true, false], [true, true], [false, false]]);
    assert.equal(results[2].errors[0].statusCode, 'REQUIRED_FIELD_MISSING');
  });

  it('the same value on another record is a duplicate', async () => {
    const error = await refusal(connection.sobject('Contact').create({ LastName: 'Twin', HubSpot_Id__c: key }));
    assert.equal(error.errorCode, 'DUPLICATE_VALUE');
    assert.match(error.message, /HubSpot_Id__c duplicates value on record with id: 003\w{12}$/);
  });

  it('a field that is no external id is refused', async () => {
    const error = await refusal(connection.sobject('Contact').upsert({ Title: 'x', LastName: 'Y' }, 'Title'));
    assert.equal(error.errorCode, 'NOT_FOUND');
  });
});

describe('collections', () => {
  let ids;

  it('create 200 records in one call', async () => {
    const records = Array.from({ length: 200 }, (_, i) => ({ LastName: `Batch ${run}`, FirstName: `N${i}` }));
    const results = await connection.sobject('Contact').create(records);
    assert.equal(results.length, 200);
    assert.equal(results.filter((r) => r.success).length, 200);
    ids = results.map((r) => r.id);
    assert.equal(new Set(ids).size, 200);
  });

  it('tell what became of each record, in order', async () => {
    const results = await connection.sobject('Contact').create([{ LastName: `Good ${run}` }, { FirstName: 'bad' }, { LastName: `Fine ${run}` }]);
    assert.deepEqual(results.map((r) => r.success), [true, false, true]);
    assert.deepEqual(results[1].errors, [{ statusCode: 'REQUIRED_FIELD_MISSING', message: 'Required fields are missing: [LastName]', fields: ['LastName'] }]);
  });

  it('take all back with allOrNone', async () => {
    const results = await connection.sobject('Contact').create([{ LastName: `Gone ${run}` }, { FirstName: 'bad' }], { allOrNone: true });
    assert.deepEqual(results.map((r) => r.success), [false, false]);
    assert.equal(results[0].errors[0].statusCode, 'ALL_OR_NONE_OPERATION_ROLLED_BACK');
    const found = await connection.query(`SELECT COUNT() FROM Contact WHERE LastName = 'Gone ${run}'`);
    assert.equal(found.totalSize, 0);
  });

  it('update, read and delete many', async () => {
    const updated = await connection.sobject('Contact').update(ids.map((Id, i) => ({ Id, Title: `T${i}` })));
    assert.equal(updated.every((r) => r.success), true);
    const read = await connection.sobject('Contact').retrieve(ids.slice(0, 3));
    assert.deepEqual(read.map((r) => [r.Id, r.Title]), [[ids[0], 'T0'], [ids[1], 'T1'], [ids[2], 'T2']]);
    const deleted = await connection.sobject('Contact').destroy(ids);
    assert.equal(deleted.filter((r) => r.success).length, 200);
    const again = await connection.sobject('Contact').destroy(ids.slice(0, 1).concat(ids.slice(1, 2)));
    assert.equal(again[0].errors[0].statusCode, 'ENTITY_IS_DELETED');
  });

  it('refuse more than 200', async () => {
    const many = Array.from({ length: 201 }, () => ({ LastName: 'Too many' }));
    const error = await refusal(connection.sobject('Contact').create(many));
    assert.match(error.message, /200|limit/i);
  });
});

describe('campaign members', () => {
  it('are a Contact or a Lead, once each, with the default status', async () => {
    const made = async (type, record) => (await connection.sobject(type).create(record)).id;
    const campaign = await made('Campaign', { Name: `Fair ${run}` });
    const contact = await made('Contact', { LastName: `Member ${run}` });
    const lead = await made('Lead', { LastName: `Member ${run}`, Company: 'Acme' });
    const members = await connection.sobject('CampaignMember').create([
      { CampaignId: campaign, ContactId: contact },
      { CampaignId: campaign, LeadId: lead, Status: 'Responded' },
    ]);
    assert.deepEqual(members.map((m) => m.success), [true, true]);
    const twice = await connection.sobject('CampaignMember').create([{ CampaignId: campaign, ContactId: contact }]);
    assert.equal(twice[0].errors[0].statusCode, 'DUPLICATE_VALUE');
    const { records } = await connection.query(`SELECT ContactId, LeadId, Status, HasResponded FROM CampaignMember WHERE CampaignId = '${campaign}' ORDER BY Id`);
    assert.deepEqual(records.map((r) => [r.ContactId, r.LeadId, r.Status, r.HasResponded]), [[contact, null, 'Sent', false], [null, lead, 'Responded', true]]);
    await connection.sobject('CampaignMember').destroy(members[0].id);
    await connection.sobject('Campaign').destroy(campaign);
    assert.equal((await connection.query(`SELECT Id FROM CampaignMember WHERE LeadId = '${lead}'`)).totalSize, 0);
  });
});

describe('queries', () => {
  let account;

  before(async () => {
    account = (await connection.sobject('Account').create({ Name: `Parent ${run}` })).id;
    for (let start = 0; start < 2200; start += 200) {
      const part = Array.from({ length: 200 }, (_, i) => ({ LastName: `Row ${String(start + i).padStart(4, '0')}`, AccountId: account, Department: run }));
      await connection.sobject('Contact').create(part);
    }
  });

  it('give 2,000 rows and the address of the rest', async () => {
    const first = await connection.query(`SELECT Id, LastName FROM Contact WHERE Department = '${run}' ORDER BY LastName`);
    assert.equal(first.totalSize, 2200);
    assert.equal(first.done, false);
    assert.equal(first.records.length, 2000);
    assert.match(first.nextRecordsUrl, /\/services\/data\/v66\.0\/query\/01g\w{15}-2000$/);
    const rest = await connection.queryMore(first.nextRecordsUrl);
    assert.equal(rest.done, true);
    assert.equal(rest.records.length, 200);
    assert.equal(rest.records[199].LastName, 'Row 2199');
  });

  it('are fetched whole by autoFetch', async () => {
    const seen = [];
    await connection
      .query(`SELECT Id, LastName FROM Contact WHERE AccountId = '${account}' ORDER BY LastName`, { autoFetch: true, maxFetch: 5000 })
      .on('record', (r) => seen.push(r.LastName));
    assert.equal(seen.length, 2200);
    assert.equal(new Set(seen).size, 2200);
    assert.deepEqual([seen[0], seen[2199]], ['Row 0000', 'Row 2199']);
  });

  it('reach parents and children', async () => {
    const up = await connection.query(`SELECT LastName, Account.Name, Account.Owner.Username FROM Contact WHERE AccountId = '${account}' ORDER BY LastName LIMIT 1`);
    assert.equal(up.records[0].Account.Name, `Parent ${run}`);
    assert.equal(up.records[0].Account.Owner.Username, app.username);
    const down = await connection.query(`SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC LIMIT 2) FROM Account WHERE Id = '${account}'`);
    assert.deepEqual(down.records[0].Contacts.records.map((r) => r.LastName), ['Row 2199', 'Row 2198']);
  });

  it('can be built by its query builder', async () => {
    const rows = await connection
      .sobject('Contact')
      .find({ Department: run, LastName: { $like: 'Row 00%' }, CreatedDate: { $gte: jsforce.SfDate.YESTERDAY } }, 'Id, LastName')
      .sort({ LastName: -1 })
      .limit(3);
    assert.deepEqual(rows.map((r) => r.LastName), ['Row 0099', 'Row 0098', 'Row 0097']);
    assert.equal(await connection.sobject('Contact').count({ Department: run }), 2200);
  });

  it('group and add up', async () => {
    const groups = await connection.query(`SELECT AccountId, COUNT(Id) n, MIN(LastName) FROM Contact WHERE Department = '${run}' GROUP BY AccountId`);
    assert.deepEqual(
      groups.records.map(({ attributes, ...rest }) => [attributes.type, rest]),
      [['AggregateResult', { AccountId: account, n: 2200, expr0: 'Row 0000' }]],
    );
  });

  it('find deleted records with scanAll', async () => {
    const id = (await connection.sobject('Account').create({ Name: `Deleted ${run}` })).id;
    await connection.sobject('Account').destroy(id);
    assert.equal((await connection.query(`SELECT Id FROM Account WHERE Id = '${id}'`)).totalSize, 0);
    const all = await connection.query(`SELECT Id, IsDeleted FROM Account WHERE Id = '${id}'`, { scanAll: true });
    assert.equal(all.records[0].IsDeleted, true);
  });

  it('search for words', async () => {
    const found = await connection.search(`FIND {Parent ${run}} IN NAME FIELDS RETURNING Account(Id, Name)`);
    assert.deepEqual(found.searchRecords.map((r) => r.Id), [account]);
  });
});

describe('the schema', () => {
  it('of an object has its fields', async () => {
    const contact = await connection.sobject('Contact').describe();
    assert.equal(contact.keyPrefix, '003');
    const field = (name) => contact.fields.find((f) => f.name === name);
    const { type, length, nillable, createable, updateable } = field('LastName');
    assert.deepEqual({ type, length, nillable, createable, updateable }, { type: 'string', length: 80, nillable: false, createable: true, updateable: true });
    assert.equal(field('Name').createable, false);
    assert.deepEqual(field('AccountId').referenceTo, ['Account']);
    assert.equal(field('AccountId').relationshipName, 'Account');
    assert.equal(field('HubSpot_Id__c').externalId, true);
    assert.equal(field('LeadSource').picklistValues.some((v) => v.value === 'Partner Referral'), true);
    assert.equal(contact.childRelationships.some((c) => c.childSObject === 'OpportunityContactRole'), true);
  });

  it('of the org lists the objects', async () => {
    const global = await connection.describeGlobal();
    const names = global.sobjects.map((o) => o.name);
    for (const name of ['Account', 'Contact', 'Lead', 'Opportunity', 'User', 'Task']) assert.ok(names.includes(name), name);
    assert.equal(global.maxBatchSize, 200);
    assert.equal(global.sobjects.find((o) => o.name === 'Lead').urls.describe, `/services/data/v${version}/sobjects/Lead/describe`);
  });

  it('versions and limits are told', async () => {
    const versions = await connection.request('/services/data');
    assert.equal(versions.at(-1).version, '68.0');
    const limits = await connection.limits();
    assert.equal(typeof limits.DailyApiRequests.Remaining, 'number');
    assert.ok(connection.limitInfo.apiUsage.used > 0);
  });
});

describe('changes', () => {
  it('updated and deleted tell the ids of a time', async () => {
    const kept = (await connection.sobject('Lead').create({ LastName: 'Kept', Company: run })).id;
    const gone = (await connection.sobject('Lead').create({ LastName: 'Gone', Company: run })).id;
    await connection.sobject('Lead').destroy(gone);
    const start = new Date(Date.now() - 3600e3);
    const end = new Date(Date.now() + 3600e3);
    const updated = await connection.sobject('Lead').updated(start, end);
    assert.ok(updated.ids.includes(kept));
    assert.ok(!updated.ids.includes(gone));
    const deleted = await connection.sobject('Lead').deleted(start, end);
    assert.ok(deleted.deletedRecords.some((r) => r.id === gone));
    assert.match(deleted.latestDateCovered, /\.000\+0000$/);
  });
});

describe('composite', () => {
  it('hands an id from one part to the next', async () => {
    const answer = await connection.request({
      method: 'POST',
      url: `/services/data/v${version}/composite`,
      body: JSON.stringify({
        allOrNone: true,
        compositeRequest: [
          { method: 'POST', url: `/services/data/v${version}/sobjects/Account`, referenceId: 'account', body: { Name: `Composite ${run}` } },
          { method: 'POST', url: `/services/data/v${version}/sobjects/Contact`, referenceId: 'contact', body: { LastName: 'Part', AccountId: '@{account.id}' } },
          { method: 'GET', url: `/services/data/v${version}/sobjects/Contact/@{contact.id}?fields=AccountId`, referenceId: 'read' },
        ],
      }),
      headers: { 'content-type': 'application/json' },
    });
    const [account, contact, read] = answer.compositeResponse;
    assert.deepEqual([account.httpStatusCode, contact.httpStatusCode, read.httpStatusCode], [201, 201, 200]);
    assert.equal(read.body.AccountId, account.body.id);
    assert.equal(contact.httpHeaders.Location, `/services/data/v${version}/sobjects/Contact/${contact.body.id}`);
  });
});
