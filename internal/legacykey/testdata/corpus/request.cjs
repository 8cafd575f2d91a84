const request = require('request');

request.get('https://api.hubapi.com/contacts/v1/lists/all/contacts/all?hapikey=00000000-fa4e-4000-8000-000000000002&count=5', (error, response, body) => {
  console.log(body);
});

request({ url: 'https://api.hubapi.com/owners/v2/owners', qs: { hapikey: process.env.HAPIKEY } }, (error, response, body) => {
  console.log(body);
});
