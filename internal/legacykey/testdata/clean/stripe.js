const stripe = require('stripe')(process.env.STRIPE_API_KEY);
const client = new Client({ apiKey: process.env.STRIPE_API_KEY });
const idempotencyKey = 'bcc0fd98-5d3f-49ce-82c4-641b316a2a12';
