const jsforce = require('jsforce');

const conn = new jsforce.Connection({ loginUrl: 'https://login.salesforce.com' });
await conn.login(process.env.SF_USER, process.env.SF_PASSWORD + process.env.SF_TOKEN);

const oauth = {
  clientId: '3MVG9fake0fake0fake0fake0fake0fake0fake0fake0fake0fake0fake',
  clientSecret: '0000000000000000001',
};
const old = await fetch('https://acme.my.salesforce.com/services/data/v29.0/query?q=SELECT+Id+FROM+Account');
