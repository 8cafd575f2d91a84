// The key goes on to a function of another file, which could put it into an address.
const axios = require('axios');
const { exportDeals } = require('./deals');

const hapikey = process.env.HAPIKEY;

axios.get('https://api.hubapi.com/crm/v3/owners?hapikey=' + hapikey).then(() => exportDeals(hapikey));
