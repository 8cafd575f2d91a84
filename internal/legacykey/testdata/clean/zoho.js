// Zoho's paths look alike.
const url = 'https://www.zohoapis.com/crm/v3/Contacts';
const oauth = 'https://accounts.zoho.com/oauth/v1/token';
